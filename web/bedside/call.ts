// The call: the patient's picture and sound out, the inspector's in, and
// commands on a data channel, each acknowledged once it is displayed.
import { ice, Refused, session } from './api'
import type { Frame } from './chat'

/** Glow is a colour that the whole screen shows. */
export type Glow = 'colour_white' | 'colour_red' | 'colour_green' | 'colour_blue'

export type Name = 'look_straight' | 'turn_left' | 'turn_right' | 'nod' | 'shut_eyes' | 'open_mouth' | 'show_ward_code' | 'show_bed_code' | 'watch_screen' | Glow | 'wait' | 'say' | 'done'

/** Command is one message of the service. */
export type Command = { id: number; cmd: Name; zh?: string; en?: string; seconds?: number }

export type Heard = {
  /** spares: this person or device wants no changing colours. */
  spares: () => boolean
  connected: () => void
  /** command displays c, then calls shown. */
  command: (c: Command, shown: () => void) => void
  /** inspector is heard, and seen when seen is true. */
  inspector: (stream: MediaStream, seen: boolean) => void
  /** lost: the network is away, the call is being repaired; connected or cut follows. */
  lost: () => void
  cut: () => void
  /** waiting: others are before this bedside; error says how many. It goes on by itself while stays is true. */
  waiting: (error: Refused) => void
  stays: () => boolean
  /** text is a frame of the text chat; ready says that what waits can be sent. */
  text: (f: Frame) => void
  ready: () => void
}

const names: readonly string[] = ['look_straight', 'turn_left', 'turn_right', 'nod', 'shut_eyes', 'open_mouth', 'show_ward_code', 'show_bed_code', 'watch_screen', 'colour_white', 'colour_red', 'colour_green', 'colour_blue', 'wait', 'say', 'done']

function parsed(data: unknown): Partial<Command> & Frame {
  try {
    return Object(JSON.parse(String(data))) as Partial<Command> & Frame
  } catch {
    return {}
  }
}

/** State is what the page tells of itself: why pictures may stop. */
export type State = 'here' | 'hidden' | 'camera'

/** Line is a call that is made. */
export type Line = { end: () => void; write: (o: object) => void; tell: (s: State) => void; film: (camera: MediaStreamTrack) => void }

const askAgain = 3000 // ms; a place in the line is lost after 15 s of silence
const patience = 3000 // ms that a connection may be interrupted before it is repaired
const repairLimit = 120_000 // ms; the service ends the visit earlier
const restarts = 2 // of ICE, before another connection is made

/** call connects, repairs the connection when the network was away, and tells what comes. It throws when the service refuses. */
export async function call(device: string, local: MediaStream, heard: Heard): Promise<Line> {
  let pc: RTCPeerConnection
  let channel: RTCDataChannel | undefined
  let sending: RTCRtpSender[] = []
  let over = false
  let repairing = false
  let last = 0
  const end = () => {
    over = true
    window.removeEventListener('online', repair)
    pc.close()
  }
  const cut = () => {
    if (over) return
    end()
    heard.cut()
  }
  const listen = (c: RTCDataChannel) => {
    c.onopen = () => {
      c.send(JSON.stringify({ state: document.visibilityState === 'hidden' ? 'hidden' : 'here', spare_colours: heard.spares() || undefined }))
      heard.ready()
    }
    c.onclose = () => {
      if (c === channel) repair()
    }
    c.onmessage = (m: MessageEvent) => {
      const got = parsed(m.data)
      if (got.line || got.refused) return heard.text(got)
      if (typeof got.id !== 'number' || !names.includes(String(got.cmd))) return
      const command = got as Command
      const acknowledge = () => {
        if (c.readyState === 'open') c.send(JSON.stringify({ receipt: command.id }))
      }
      if (command.id <= last) return acknowledge() // the receipt was lost, the command was seen
      last = command.id
      if (command.cmd === 'done') over = true // what closes from now on is no loss
      heard.command(command, acknowledge)
    }
  }
  const connect = async () => {
    const line = new RTCPeerConnection({ iceServers: await ice(device) })
    pc = line
    channel = line.createDataChannel('ward', { ordered: true })
    listen(channel)
    sending = local.getTracks().map((track) => line.addTransceiver(track, { direction: 'sendrecv', streams: [local] }).sender)
    for (const s of sending) sharp(s)
    if (local.getAudioTracks().length === 0) line.addTransceiver('audio', { direction: 'recvonly' })
    const shown = new MediaStream()
    line.ontrack = (e) => {
      // Tracks are there from the beginning; media come when an inspector joins.
      const changed = () => {
        if (over) return // Chromium of 2021 mutes the tracks of a line that is closed
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
    line.onconnectionstatechange = () => {
      if (line !== pc || over) return
      if (line.connectionState === 'connected') {
        for (const s of sending) sharp(s)
        heard.connected()
      }
      if (line.connectionState === 'failed') repair()
      if (line.connectionState === 'disconnected') {
        setTimeout(() => {
          if (line.connectionState === 'disconnected') repair()
        }, patience)
      }
    }
    await line.setLocalDescription(await line.createOffer())
    await answered(line)
  }
  // The service admits no candidates: this browser reaches it, and goes on gathering meanwhile.
  const answered = async (line: RTCPeerConnection) => {
    for (;;) {
      try {
        const sdp = await session(device, line.localDescription ? line.localDescription.sdp : '')
        return await line.setRemoteDescription({ type: 'answer', sdp })
      } catch (error) {
        if (!(error instanceof Refused) || error.problem.code !== 'bedside.wait' || over) throw error
        heard.waiting(error)
        await new Promise((go) => setTimeout(go, askAgain))
        if (!heard.stays()) {
          end()
          throw error
        }
      }
    }
  }
  const restart = async () => {
    if (pc.signalingState === 'stable') {
      const iceServers = await ice(device)
      if (works()) return // the line came back by itself meanwhile
      pc.setConfiguration({ iceServers }) // the old credentials may have expired
      await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }))
    }
    await answered(pc) // an offer that found nobody is sent again
  }
  const works = () => pc.connectionState === 'connected' && channel?.readyState === 'open'
  const mend = async () => {
    const limit = Date.now() + repairLimit
    let tries = 0 // that the service answered
    const wanting = () => !over && !works() && Date.now() < limit
    while (wanting()) {
      try {
        if (tries < restarts && pc.connectionState !== 'closed' && channel?.readyState === 'open') await restart()
        else {
          pc.close()
          await connect()
        }
        tries++
        for (let i = 0; i < 30 && wanting(); i++) await pause(200)
      } catch (error) {
        // Refused: the visit is over, or the answer to an offer before is still under way.
        if (error instanceof Refused && error.problem.code !== 'visit.state') return cut()
        await pause(1500)
      }
    }
    if (!works()) cut()
  }
  function repair() {
    if (over || repairing || works()) return
    repairing = true
    heard.lost()
    void mend().finally(() => {
      repairing = false
    })
  }
  window.addEventListener('online', repair)
  try {
    await connect()
  } catch (error) {
    over = true
    window.removeEventListener('online', repair)
    throw error
  }
  const write = (o: object) => {
    if (channel?.readyState === 'open') channel.send(JSON.stringify(o))
  }
  return {
    end,
    write,
    tell: (state) => write({ state }),
    film: (camera) => {
      const sender = sending.find((s) => s.track?.kind === 'video')
      void sender?.replaceTrack(camera)
    },
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** sharp keeps the picture's size when the line is thin: a face needs pixels more than frames. */
function sharp(sender: RTCRtpSender) {
  if (!sender.track || sender.track.kind !== 'video') return
  const p = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string }
  p.degradationPreference = 'maintain-resolution'
  for (const e of p.encodings || []) e.maxBitrate = 4_000_000
  sender.setParameters(p).catch(() => {}) // older browsers know no such wish
}
