package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

type serveCommand struct{}

// Run serves until SIGTERM or Ctrl-C, also one that comes while it starts.
func (c serveCommand) Run(e *terminal) error {
	err := c.serve(e)
	if e.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (serveCommand) serve(e *terminal) error {
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	s, err := openService(e.ctx, c, e.log)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // the process ends
	oneTime, err := firstSignIn(e.ctx, s.store)
	if err != nil {
		return err
	}
	l, err := listen(e.ctx, c.Listen)
	if err != nil {
		return err
	}
	if oneTime != "" { // to the terminal only, never to the log
		_, _ = fmt.Fprintf(e.out, "first start: sign in within 10 minutes at %s/#one-time=%s\n", c.reachedAt(l.Addr()), oneTime)
	}
	e.log.Info("serving", "listen", l.Addr().String(), "version", version)
	return s.Run(e.ctx, l)
}

// firstSignIn makes the first administrator and returns its one-time
// sign-in. Until that administrator has set a password, every start returns
// a fresh one: a link that expired unused must not lock everybody out.
func firstSignIn(ctx context.Context, store *storage.Store) (string, error) {
	oneTime, err := web.FirstStart(ctx, store)
	if err != nil || oneTime != "" {
		return oneTime, err
	}
	u, hash, err := store.UserByLogin(ctx, web.AdministratorLogin)
	if ward.KindOf(err) == ward.NotFound || err == nil && (hash != "" || u.Disabled) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return web.NewOneTime(ctx, store, web.AdministratorLogin)
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, &ward.Error{
			Kind: ward.Unavailable, Code: "listen", Err: err,
			ZH: "无法监听 " + addr + "，端口可能被占用；请修改 listen 配置。", EN: "Cannot listen on " + addr + "; the port may be taken. Change the listen setting.",
		}
	}
	return l, nil
}

type migrateCommand struct{}

// Run brings the schema up to date.
func (migrateCommand) Run(e *terminal) error {
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	s, err := storage.Migrate(e.ctx, storeOptions(c, e.log))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(e.out, "数据库结构已是最新。 The database schema is current.")
	return s.Close()
}
