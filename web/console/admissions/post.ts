import { asProblem, Refusal, type Schemas } from '../api/client'

/**
 * post sends a file of stays. It tells the share that was sent, 0 to 1, which
 * fetch cannot; what follows is the service's work.
 */
export function post(file: File, institution: string, dry: boolean, onSent: (share: number) => void): Promise<Schemas['StayReport']> {
  return new Promise((resolve, reject) => {
    const r = new XMLHttpRequest()
    r.open('POST', `/api/v1/admissions/import?dry_run=${dry}&institution_id=${encodeURIComponent(institution)}`)
    r.setRequestHeader('Content-Type', 'application/octet-stream')
    r.upload.onprogress = (e) => onSent(e.lengthComputable ? e.loaded / e.total : 0)
    r.upload.onload = () => onSent(1)
    r.onerror = () => reject(new TypeError('network'))
    r.onload = () => {
      const body = parsed(r.responseText)
      if (r.status >= 200 && r.status < 300) resolve(body as Schemas['StayReport'])
      else reject(new Refusal(asProblem(body, r.status)))
    }
    r.send(file)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
