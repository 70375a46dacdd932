package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"wardwatch/ward"
)

func notFound(key string) error {
	return &ward.Error{
		Kind: ward.NotFound, Code: "objects.not_found", Err: fmt.Errorf("object %s: %w", key, fs.ErrNotExist),
		ZH: "找不到该文件，可能已按保留期限删除。", EN: "The file is not there; its retention may have ended.",
	}
}

func exists(key string) error {
	return &ward.Error{
		Kind: ward.Conflict, Code: "objects.exists", Err: fmt.Errorf("object %s: %w", key, fs.ErrExist),
		ZH: "同名文件已存在且内容不同，原文件未被改动。", EN: "Another file is stored under this name; it was left as it is.",
	}
}

func locked(cause error) error {
	return &ward.Error{
		Kind: ward.Conflict, Code: "objects.locked", Err: cause,
		ZH: "该文件受保留或冻结保护，到期或解除后才能删除。", EN: "The file is under retention or hold; it can be deleted when that ends.",
	}
}

func full(cause error) error {
	return &ward.Error{
		Kind: ward.Unavailable, Code: "objects.full", Err: cause,
		ZH: "存储空间已满：请扩容，或缩短保留期限。", EN: "The object store is full: add space, or shorten retention.",
	}
}

func unreachable(cause error) error {
	return &ward.Error{
		Kind: ward.Unavailable, Code: "objects.unreachable", Err: cause,
		ZH: "无法连接存储：请检查存储服务或磁盘、网络和地址配置；录像会先留在本机。",
		EN: "The object store cannot be reached: check the server or disk, the network and the configured address. Recordings wait on this machine.",
	}
}

func denied(cause error) error {
	return &ward.Error{
		Kind: ward.Unavailable, Code: "objects.denied", Err: cause,
		ZH: "存储拒绝访问：请检查密钥、桶或目录的权限，以及本机时间。",
		EN: "The object store refuses access: check the keys, the permissions on the bucket or directory, and this machine's clock.",
	}
}

// fromFS turns an error of the file system into one of ours. Not-exist and
// exist errors are the caller's to explain.
func fromFS(err error) error {
	switch {
	case err == nil:
		return nil
	case ward.KindOf(err) != "", errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return full(err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return denied(err)
	default:
		return unreachable(err)
	}
}
