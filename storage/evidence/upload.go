package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wardwatch/storage"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// MaxUpload bounds a file that is added to a case, in bytes: a bill scanned at
// 300 dpi is 1 to 5 MB, a telephone's photo up to 12.
const MaxUpload = 20 << 20

// maxName bounds what a file is called, in characters.
const maxName = 120

// maxMagic is the length of the longest beginning in fileTypes.
const maxMagic = 8

// fileTypes are what may be added, by the bytes that such a file begins with.
// Nothing of a file is read beyond these.
var fileTypes = []struct{ magic, mediaType, ext string }{
	{"%PDF-", "application/pdf", ".pdf"},
	{"\xff\xd8\xff", "image/jpeg", ".jpg"},
	{"\x89PNG\r\n\x1a\n", "image/png", ".png"},
}

// AddFile adds a file of size bytes to a case, sealed with its hash, under a
// name of the store's own. It goes to the store as it comes, in little memory.
// It is never opened, unpacked or shown: what it is is told by its
// first bytes, whatever its name says. ward.Invalid: "upload.type",
// "upload.size", "upload.name".
func (c *Clerk) AddFile(ctx context.Context, file ward.Case, name string, content io.Reader, size int64, by ward.User) ([]ward.Evidence, error) {
	if size <= 0 || size > MaxUpload {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "upload.size", ZH: "文件为空或超过 20 MB，请压缩或拆分后再上传。", EN: "The file is empty or larger than 20 MB; make it smaller or split it."}
	}
	name = strings.TrimSpace(name)
	if bad := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`/\`, r) }; name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, bad) {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "upload.name", ZH: "文件名须为 1 至 120 个可见字符，不含斜线。", EN: "The file's name is 1 to 120 visible characters without slashes."}
	}
	begin := make([]byte, min(size, maxMagic))
	if _, err := io.ReadFull(content, begin); err != nil {
		return nil, cut(fmt.Errorf("read file: %w", err))
	}
	for _, f := range fileTypes {
		if !bytes.HasPrefix(begin, []byte(f.magic)) {
			continue
		}
		key, v, err := c.put(ctx, file, name, f.mediaType, f.ext, io.MultiReader(bytes.NewReader(begin), content), size, by)
		if err != nil {
			return nil, err
		}
		return c.Store.AddUpload(ctx, file.ID, key, v, by)
	}
	return nil, &ward.Error{Kind: ward.Invalid, Code: "upload.type", ZH: "只接受 PDF、JPEG 和 PNG 文件（按内容判断，与扩展名无关）。", EN: "Only PDF, JPEG and PNG files are taken, told by their content and not by their names."}
}

// cut tells a file that ended too early from a store that failed.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &ward.Error{Kind: ward.Invalid, Code: "upload.cut", ZH: "文件没有传完，请检查网络后重新上传。", EN: "The file did not arrive whole; check the network and upload it again.", Err: err}
	}
	return err
}

// put stores a file under a name of the store's own.
func (c *Clerk) put(ctx context.Context, file ward.Case, name, mediaType, ext string, content io.Reader, size int64, by ward.User) (key string, v sealed.Upload, err error) {
	key = "v1/" + string(file.InstitutionID) + "/uploads/" + ward.NewID[string](time.Now()) + ext
	sum := sha256.New()
	if err := c.Media.Objects.Put(ctx, key, io.TeeReader(content, sum), size); err != nil {
		return key, v, cut(fmt.Errorf("store file: %w", err))
	}
	return key, sealed.Upload{
		Institution: file.InstitutionID, Name: name, MediaType: mediaType, Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil)), By: by.ID,
	}, nil
}

// IssueLetter issues a letter of a case: its PDF is stored and becomes evidence
// with the step. See storage.Store.StepLetter.
func (c *Clerk) IssueLetter(ctx context.Context, file ward.Case, id ward.LetterID, seen int64, number string, pdf []byte, by ward.User) ([]ward.LetterStep, error) {
	key, v, err := c.put(ctx, file, number+".pdf", "application/pdf", ".pdf", bytes.NewReader(pdf), int64(len(pdf)), by)
	if err != nil {
		return nil, err
	}
	return c.Store.StepLetter(ctx, storage.LetterChange{
		ID: id, CaseID: file.ID, Seen: seen, Action: ward.LetterIssue, Number: number, PDF: &storage.LetterPDF{Key: key, Upload: v},
	}, by)
}
