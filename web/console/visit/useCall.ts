import { useCallback, useEffect, useRef, useState } from 'react'
import { callVisit, endCall, iceOf } from '../api/sdp'

export type Wish = 'watch' | 'talk' | 'talk_and_show'
export type CallState = { kind: 'idle' | 'connecting' | 'live' | 'ended'; error?: unknown }

type Open = { pc: RTCPeerConnection; id: string; local: MediaStream | undefined }

/** useCall connects the inspector with the bedside of a visit. */
export function useCall(visitID: string) {
  const remote = useRef<HTMLVideoElement>(null)
  const self = useRef<HTMLVideoElement>(null)
  const open = useRef<Open>(undefined)
  const turn = useRef(0) // the latest attempt; an earlier one that is still under way gives up
  const [state, setState] = useState<CallState>({ kind: 'idle' })
  const [wish, setWish] = useState<Wish>('watch')

  const drop = useCallback(() => {
    const o = open.current
    open.current = undefined
    for (const track of o?.local?.getTracks() ?? []) track.stop()
    o?.pc.close()
    return o?.id
  }, [])

  const hangUp = useCallback(() => {
    turn.current++
    const id = drop()
    setState({ kind: 'ended' })
    if (id) void endCall(id)
  }, [drop])

  const join = useCallback(async (want: Wish) => {
    const mine = ++turn.current
    setState({ kind: 'connecting' })
    setWish(want)
    let local: MediaStream | undefined
    let pc: RTCPeerConnection | undefined
    const quit = (error?: unknown) => {
      for (const track of local?.getTracks() ?? []) track.stop()
      pc?.close()
      if (mine === turn.current) setState({ kind: 'ended', error })
    }
    try {
      const line = new RTCPeerConnection({ iceServers: await iceOf(visitID) })
      pc = line
      if (want !== 'watch') {
        const video = want === 'talk_and_show' ? { width: { ideal: 640 }, height: { ideal: 360 } } : false
        local = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true }, video })
      }
      const audio = local?.getAudioTracks()[0]
      const video = local?.getVideoTracks()[0]
      const streams = local ? [local] : []
      line.addTransceiver(audio ?? 'audio', { direction: audio ? 'sendrecv' : 'recvonly', streams })
      line.addTransceiver(video ?? 'video', { direction: video ? 'sendrecv' : 'recvonly', streams })
      const shown = new MediaStream()
      line.ontrack = (e) => {
        shown.addTrack(e.track)
        if (remote.current && remote.current.srcObject !== shown) remote.current.srcObject = shown
      }
      line.onconnectionstatechange = () => {
        if (open.current?.pc !== line) return
        if (line.connectionState === 'connected') setState({ kind: 'live' })
        if (line.connectionState === 'failed' || line.connectionState === 'closed') {
          drop()
          setState({ kind: 'ended' })
        }
      }
      await line.setLocalDescription(await line.createOffer())
      const { answer, id } = await callVisit(visitID, line.localDescription?.sdp ?? '')
      if (mine !== turn.current) {
        quit()
        void endCall(id)
        return
      }
      drop() // the service has ended the call that this one replaces
      open.current = { pc: line, id, local }
      if (self.current) self.current.srcObject = video ? (local ?? null) : null
      await line.setRemoteDescription({ type: 'answer', sdp: answer })
    } catch (error) {
      if (pc && open.current?.pc === pc) open.current = undefined
      quit(error)
    }
  }, [visitID, drop])

  useEffect(() => () => {
    turn.current++
    const id = drop()
    if (id) void endCall(id)
  }, [drop])

  return { remote, self, state, wish, join, hangUp }
}
