package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// oneTimeLife is how long a one-time sign-in works (ASVS 6.5.5: at most 10 minutes).
const oneTimeLife = 10 * time.Minute

// NewUser is a user to be made.
type NewUser struct {
	Login           string               `json:"login" minLength:"1" maxLength:"64" pattern:"^[a-z0-9][a-z0-9._@-]*$"`
	Name            string               `json:"name" minLength:"1" maxLength:"64"`
	Role            ward.Role            `json:"role"`
	AllInstitutions bool                 `json:"all_institutions,omitempty"`
	Institutions    []ward.InstitutionID `json:"institutions,omitempty" maxItems:"1000"`
}

// UserChange replaces what an administrator may change of a user.
type UserChange struct {
	Name            string               `json:"name" minLength:"1" maxLength:"64"`
	Role            ward.Role            `json:"role"`
	AllInstitutions bool                 `json:"all_institutions"`
	Institutions    []ward.InstitutionID `json:"institutions" maxItems:"1000"`
	Disabled        bool                 `json:"disabled" doc:"Ends the user's sessions and API tokens at once"`
}

// OneTime is a one-time sign-in: the console opens /#one-time=TOKEN.
type OneTime struct {
	User    ward.User `json:"user"`
	OneTime string    `json:"one_time" doc:"Shown here only; works once, for 10 minutes"`
	Expires time.Time `json:"expires"`
}

// NewToken asks for an API token.
type NewToken struct {
	Days int `json:"days" minimum:"1" maximum:"400"`
}

// Token is an API token, shown only here.
type Token struct {
	Token   string    `json:"token" doc:"Send it as Authorization: Bearer"`
	Expires time.Time `json:"expires"`
}

// UserPath names a user in the address.
type UserPath struct {
	ID ward.UserID `path:"id" maxLength:"64"`
}

func (s *Server) userRoutes(r *routes) {
	who, tags := everywhere(ward.MayAdminister), []string{"users"}
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/users", OperationID: "listUsers", Summary: "All users", Tags: tags},
		s.listUsers)
	add(r, anyUser(), huma.Operation{Method: http.MethodGet, Path: v1 + "/users/names", OperationID: "listUserNames", Summary: "The names of users who share an institution with the caller, for who ordered, decided or saw something", Tags: tags},
		s.listUserNames)
	add(r, who, huma.Operation{Method: http.MethodPost, Path: v1 + "/users", OperationID: "addUser", Summary: "Add a user; the answer holds a one-time sign-in", Tags: tags, DefaultStatus: http.StatusCreated},
		s.addUser)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: v1 + "/users/{id}", OperationID: "changeUser", Summary: "Change or disable a user", Tags: tags},
		s.changeUser)
	add(r, who, huma.Operation{Method: http.MethodPost, Path: v1 + "/users/{id}/one-time", OperationID: "makeOneTime", Summary: "Make a one-time sign-in, for a forgotten password", Tags: tags, DefaultStatus: http.StatusCreated},
		s.makeOneTime)
	add(r, who, huma.Operation{Method: http.MethodPost, Path: v1 + "/users/{id}/tokens", OperationID: "makeToken", Summary: "Make an API token, for a billing system", Tags: tags, DefaultStatus: http.StatusCreated},
		s.makeToken)
}

func (s *Server) listUsers(ctx context.Context, _ *none) (*body[Page[ward.User]], error) {
	return items(s.Store.Users(ctx))
}

func (s *Server) listUserNames(ctx context.Context, _ *none) (*body[Page[storage.UserName]], error) {
	who := callerOf(ctx)
	if who.Role == ward.Contact { // is told what was decided, not who inspects
		return items([]storage.UserName{{ID: who.ID, Name: who.Name}}, nil)
	}
	return items(s.Store.UserNames(ctx, who.scope()))
}

func (s *Server) addUser(ctx context.Context, in *creation[NewUser]) (*created[OneTime], error) {
	return once(ctx, s, "addUser", in.Key, in.RawBody, func() (OneTime, error) {
		now := s.now()
		u := ward.User{
			ID: ward.NewID[ward.UserID](now), Login: in.Body.Login, Name: in.Body.Name, Role: in.Body.Role,
			AllInstitutions: in.Body.AllInstitutions, Institutions: list(in.Body.Institutions), Created: now.UTC(),
		}
		if err := s.Store.AddUser(ctx, u, "", callerOf(ctx).ID); err != nil {
			return OneTime{}, inBody(err)
		}
		token, expires, err := makeOneTime(ctx, s.Store, u.ID, callerOf(ctx).ID, now)
		return OneTime{u, token, expires}, err
	})
}

type userChangeInput struct {
	UserPath
	Body UserChange
}

func (s *Server) changeUser(ctx context.Context, in *userChangeInput) (*body[ward.User], error) {
	u, err := s.Store.User(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if u.ID == callerOf(ctx).ID && (b.Disabled || b.Role != ward.Administrator || !b.AllInstitutions) {
		return nil, &ward.Error{Kind: ward.Conflict, Code: "user.self", ZH: "不能停用自己或取消自己的管理员权限。", EN: "You cannot disable yourself or take away your own administration."}
	}
	u.Name, u.Role, u.AllInstitutions, u.Institutions, u.Disabled = b.Name, b.Role, b.AllInstitutions, list(b.Institutions), b.Disabled
	return answer(u, inBody(s.Store.UpdateUser(ctx, u, callerOf(ctx).ID)))
}

func (s *Server) makeOneTime(ctx context.Context, in *UserPath) (*body[OneTime], error) {
	u, err := s.Store.User(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	token, expires, err := makeOneTime(ctx, s.Store, u.ID, callerOf(ctx).ID, s.now())
	return answer(OneTime{u, token, expires}, err)
}

type newTokenInput struct {
	UserPath
	Body NewToken
}

func (s *Server) makeToken(ctx context.Context, in *newTokenInput) (*body[Token], error) {
	u, err := s.Store.User(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	expires := s.now().AddDate(0, 0, in.Body.Days).UTC()
	token, err := NewAPIToken(ctx, s.Store, u.ID, callerOf(ctx).ID, expires)
	return answer(Token{token, expires}, err)
}

// NewAPIToken makes an API token for the user and returns it; only its hash is stored. by asked for it.
func NewAPIToken(ctx context.Context, store *storage.Store, id, by ward.UserID, expires time.Time) (string, error) {
	token, hash := storage.NewToken()
	err := store.AddSession(ctx, storage.Session{Hash: hash, Kind: storage.APIToken, UserID: id, Created: time.Now(), Expires: expires, By: by})
	return token, err
}

func makeOneTime(ctx context.Context, store *storage.Store, id, by ward.UserID, now time.Time) (string, time.Time, error) {
	token, hash := storage.NewToken()
	expires := now.Add(oneTimeLife).UTC()
	return token, expires, store.AddSession(ctx, storage.Session{Hash: hash, Kind: storage.OneTimeSignIn, UserID: id, Created: now, Expires: expires, By: by})
}
