package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// AddUpload seals what a file that is in the object store under key is, and
// adds it to the case.
func (s *Store) AddUpload(ctx context.Context, id ward.CaseID, key string, v sealed.Upload, by ward.User) ([]ward.Evidence, error) {
	var added []ward.Evidence
	err := s.change(ctx, "add a file to case "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var one int
		if err := t.QueryRowContext(ctx, `SELECT 1 FROM case_file WHERE id = $1`, id).Scan(&one); err != nil {
			return noCase(err)
		}
		var err error
		added, err = t.addUpload(ctx, id, key, v, by)
		return err
	})
	return added, err
}

func (t *tx) addUpload(ctx context.Context, id ward.CaseID, key string, v sealed.Upload, by ward.User) ([]ward.Evidence, error) {
	sum, err := hex.DecodeString(v.SHA256)
	if err != nil || len(sum) != sha256.Size {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "upload.sum", ZH: "文件哈希无效。", EN: "The file's hash is malformed."}
	}
	if _, err := t.sealRecord(ctx, KindUpload, key, v); err != nil {
		return nil, err
	}
	return t.addEvidence(ctx, id, []ward.Evidence{{Kind: ward.EvidenceFile, Ref: key, SHA256: [32]byte(sum)}}, by)
}
