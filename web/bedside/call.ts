// The call: the patient's picture and sound out, the inspector's in, and
// commands on a data channel, each acknowledged once it is displayed.
import { ice, session } from './api'

export type Name = 'look_straight' | 'turn_left' | 'turn_right' | 'nod' | 'shut_eyes' | 'open_mouth' | 'wait' | 'say' | 'done'

/** Command is one message of the service. */
export type Command = { id: number; cmd: Name; zh?: string; en?: string; seconds?: number }

export type Heard = {
  connected: () => void
  /** command displays c, then calls shown. */
  command: (c: Command, shown: () => void) => void
  /** inspector is heard, and seen when seen is true. */
  inspector: (stream: MediaStream, seen: boolean) => void
  cut: () => void
}

const names: readonly string[] = ['look_straight', 'turn_left', 'turn_right', 'nod', 'shut_eyes', 'open_mouth', 'wait', 'say', 'done']

function commandOf(data: unknown): Command | undefined {
  try {
    const v = JSON.parse(String(data)) as Partial<Command>
    return typeof v.id === 'number' && names.includes(String(v.cmd)) ? (v as Command) : undefined
  } catch {
    return undefined
  }
}

/** call connects and returns what hangs up. It throws when the service refuses. */
export async function call(device: string, local: MediaStream, heard: Heard): Promise<() => void> {
  const pc = new RTCPeerConnection({ iceServers: await ice(device) })
  let over = false
  let last = 0
  const end = () => {
    over = true
    pc.close()
  }
  const cut = () => {
    if (over) return
    end()
    heard.cut()
  }
  const channel = pc.createDataChannel('ward', { ordered: true })
  channel.onclose = cut
  channel.onmessage = (m: MessageEvent) => {
    const c = commandOf(m.data)
    if (!c) return
    const acknowledge = () => {
      if (channel.readyState === 'open') channel.send(JSON.stringify({ receipt: c.id }))
    }
    if (c.id <= last) return acknowledge() // the receipt was lost, the command was seen
    last = c.id
    if (c.cmd === 'done') over = true // what closes from now on is no loss
    heard.command(c, acknowledge)
  }
  const sending: RTCRtpSender[] = []
  for (const track of local.getTracks()) sending.push(pc.addTransceiver(track, { direction: 'sendrecv', streams: [local] }).sender)
  if (local.getAudioTracks().length === 0) pc.addTransceiver('audio', { direction: 'recvonly' })
  const shown = new MediaStream()
  pc.ontrack = (e) => {
    // Tracks are there from the beginning; media come when an inspector joins.
    const changed = () => {
      const there = shown.getTracks().includes(e.track)
      if (e.track.muted === !there) return
      if (there) shown.removeTrack(e.track)
      else shown.addTrack(e.track)
      heard.inspector(shown, shown.getVideoTracks().length > 0)
    }
    e.track.onunmute = changed
    e.track.onmute = changed
    changed()
  }
  pc.onconnectionstatechange = () => {
    if (pc.connectionState === 'connected') {
      for (const s of sending) sharp(s)
      heard.connected()
    }
    if (pc.connectionState === 'failed') cut()
  }
  try {
    await pc.setLocalDescription(await pc.createOffer())
    // The service admits no candidates: this browser reaches it, and goes on gathering meanwhile.
    const sdp = await session(device, pc.localDescription ? pc.localDescription.sdp : '')
    await pc.setRemoteDescription({ type: 'answer', sdp })
    for (const s of sending) sharp(s)
  } catch (error) {
    end()
    throw error
  }
  return end
}

/** sharp keeps the picture's size when the line is thin: a face needs pixels more than frames. */
function sharp(sender: RTCRtpSender) {
  if (!sender.track || sender.track.kind !== 'video') return
  const p = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string }
  p.degradationPreference = 'maintain-resolution'
  for (const e of p.encodings || []) e.maxBitrate = 4_000_000
  sender.setParameters(p).catch(() => {}) // older browsers know no such wish
}
