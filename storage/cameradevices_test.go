package storage_test

import (
	"errors"
	"strings"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

func TestCameraDevices(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		before, err := w.Store.CameraDevices(t.Context(), "cam-1")
		if err != nil || len(before) != 1 {
			t.Fatalf("before: %+v, %v", before, err)
		}
		d := ward.CameraDevice{CameraID: "cam-1", Manufacturer: "海康威视", Model: "DS-2CD", Firmware: "V5.7.3", Serial: "E123", Source: ward.DeviceByCamera, By: w.By.ID}
		second, err := w.Store.SetCameraDevice(t.Context(), d)
		if err != nil || second.Version != 2 || second.Leaf == 0 || second.At.IsZero() {
			t.Fatalf("got %+v, %v", second, err)
		}
		if again, err := w.Store.SetCameraDevice(t.Context(), d); err != nil || again != second {
			t.Errorf("the same again is %+v, %v", again, err)
		}
		d.Firmware = "V5.7.4"
		third, err := w.Store.SetCameraDevice(t.Context(), d)
		if err != nil || third.Version != 3 {
			t.Errorf("got %+v, %v", third, err)
		}
		all, err := w.Store.CameraDevices(t.Context(), "cam-1")
		if err != nil || len(all) != 3 || all[1] != second || all[2] != third {
			t.Errorf("all versions: %+v, %v", all, err)
		}
		for _, bad := range []struct {
			code string
			d    ward.CameraDevice
		}{
			{"device.empty", ward.CameraDevice{CameraID: "cam-1", Model: " "}},
			{"device.text", ward.CameraDevice{CameraID: "cam-1", Model: "a\nb"}},
			{"device.text", ward.CameraDevice{CameraID: "cam-1", Serial: strings.Repeat("1", ward.MaxDeviceText+1)}},
			{"camera.unknown", ward.CameraDevice{CameraID: "nobody", Model: "x"}},
		} {
			if _, err := w.Store.SetCameraDevice(t.Context(), bad.d); !errors.Is(err, &ward.Error{Code: bad.code}) {
				t.Errorf("%+v: %v, want %s", bad.d, err, bad.code)
			}
		}
	})
}
