//go:build cgo && vision

package worker

import (
	"gocv.io/x/gocv"

	"wardwatch/internal/barcode"
)

// codes reads what QR code and Code 128 the picture shows.
func codes(pic gocv.Mat) ([]string, error) {
	flat := gocv.NewMat()
	defer flat.Close()
	if err := gocv.CvtColor(pic, &flat, gocv.ColorBGRToGray); err != nil {
		return nil, err
	}
	return barcode.Read(flat.ToBytes(), flat.Cols(), flat.Rows()), nil
}
