// Package rtsp is a client for cameras: it asks for media over RTSP (RFC
// 2326) and hands out what comes, packet by packet, over the same TCP
// connection or over UDP. It keeps the session alive the way the camera
// understands, and forgives what cameras do wrong. It reads in large pieces
// and seldom, since a recorder has hundreds of cameras and is in no hurry.
//
// It must not know what the packets are recorded for. Texts (requests,
// answers, descriptions, credentials) are gortsplib's; its client is not used,
// because it wakes up for every packet, and drops a sender that changes.
package rtsp
