package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"wardwatch/ward"
)

// Problem is the body of every error (RFC 9457). Code is stable and dotted;
// the two details say what is wrong and what to do about it.
type Problem struct { //nolint:errname // the name of RFC 9457, and of the type in the console
	Title    string   `json:"title"`
	Status   int      `json:"status"`
	Code     string   `json:"code" example:"settlement.future"`
	Detail   string   `json:"detail" doc:"English"`
	DetailZH string   `json:"detail_zh" doc:"Simplified Chinese"`
	DetailEN string   `json:"detail_en" doc:"English"`
	Instance string   `json:"instance,omitempty" doc:"The request's id, to be quoted when asking for help"`
	Fields   []string `json:"fields,omitempty" doc:"Which parameters are wrong, and how"`

	retryAfter time.Duration // zero: not said
}

// Error makes Problem an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus makes Problem a huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders makes Problem a huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	if p.retryAfter == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(int(p.retryAfter.Seconds()))}}
}

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, code, zh, en string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: en, DetailZH: zh, DetailEN: en}
}

// statusOf maps each kind of ward.Error to its HTTP status.
func statusOf(k ward.Kind) int {
	switch k {
	case ward.Invalid:
		return http.StatusUnprocessableEntity
	case ward.NotFound:
		return http.StatusNotFound
	case ward.Forbidden:
		return http.StatusForbidden
	case ward.Conflict:
		return http.StatusConflict
	case ward.Gone:
		return http.StatusGone
	case ward.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problem turns an error into what the caller may know of it. Unknown errors
// and missing parts are logged here, and only here; the caller gets the
// request's id, never the cause.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	id := requestID(ctx)
	if e, ok := errors.AsType[*ward.Error](err); ok {
		p := newProblem(statusOf(e.Kind), e.Code, e.ZH, e.EN)
		if e.Kind == ward.Unavailable {
			p.Instance = id
			s.Log.WarnContext(ctx, "request unavailable", "request_id", id, "error", err)
		}
		return p
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return newProblem(499, "cancelled", "请求已取消。", "The request was cancelled.")
	}
	s.Log.ErrorContext(ctx, "request failed", "request_id", id, "error", err)
	p := newProblem(http.StatusInternalServerError, "internal", "系统内部错误，请把编号告知管理员。", "Something went wrong inside; give the id to the administrator.")
	p.Instance = id
	return p
}

// echoError answers what no route does: an unknown path or method.
func (s *Server) echoError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := newProblem(http.StatusNotFound, "not_found", "没有找到，或您无权查看。", "Not found, or you may not see it.")
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Code == http.StatusMethodNotAllowed {
		p = newProblem(e.Code, "request.method", "该地址不支持此操作。", "This address does not take this method.")
	} else if !ok {
		p = s.problem(c.Request().Context(), err)
	}
	writeProblem(c.Response(), p)
}

// ownProblems is a huma transformer that gives huma's own errors (a body
// that does not parse, a parameter out of range) our form.
func ownProblems(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := newProblem(m.Status, "request.invalid", "请求内容有误，请按提示修改。", "The request is not valid; correct what is listed.")
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		p = newProblem(m.Status, "request.too_large", "上传内容太大。", "The request body is too large.")
		if mb := ctx.Operation().MaxBodyBytes >> 20; mb > 0 {
			p = newProblem(m.Status, p.Code, fmt.Sprintf("上传内容太大，最多 %d MB。", mb), fmt.Sprintf("The request body is too large: at most %d MB.", mb))
		}
	case http.StatusUnsupportedMediaType:
		p = newProblem(m.Status, "request.media_type", "不支持这种内容类型。", "This content type is not supported here.")
	case http.StatusInternalServerError:
		p = newProblem(m.Status, "internal", "系统内部错误，请把编号告知管理员。", "Something went wrong inside; give the id to the administrator.")
		p.Instance = requestID(ctx.Context())
		return p, nil
	}
	for _, e := range m.Errors {
		if e != nil { // the value itself is left out: it may be personal
			p.Fields = append(p.Fields, e.Location+": "+e.Message)
		}
	}
	return p, nil
}
