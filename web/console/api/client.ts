// The generated client, and what every call has in common.
import createClient, { type Middleware } from 'openapi-fetch'
import type { components, paths } from './schema.gen'

export type Schemas = components['schemas']
export type Problem = Schemas['Problem']

/** Refusal is an answer of the service that is not a success. */
export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code)
  }
}

let onSignedOut: (() => void) | undefined

/** whenSignedOut sets what happens when the service no longer knows the session. */
export function whenSignedOut(f: () => void) {
  onSignedOut = f
}

const session: Middleware = {
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== '/api/v1/sign-in') onSignedOut?.()
  },
}

export const api = createClient<paths>({ baseUrl: '' })
api.use(session)

type Answer<T> = { data?: T; error?: Problem; response: Response }

/** take returns the data of an answer, or throws a Refusal. */
export async function take<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw new Refusal(asProblem(error, response.status))
  return data as T
}

/** asProblem is what an answer said, or the bare status when a proxy in between answered. */
export function asProblem(body: unknown, status: number): Problem {
  if (isProblem(body)) return body
  return { title: '', status, code: `http.${status}`, detail: `HTTP ${status}`, detail_en: `HTTP ${status}`, detail_zh: `HTTP ${status}` }
}

/** refusal is what an answer that is no success says, of a call past the generated client. */
export async function refusal(answer: Response): Promise<Refusal> {
  if (answer.status === 401) onSignedOut?.()
  return new Refusal(asProblem(await answer.json().catch(() => undefined), answer.status))
}

function isProblem(v: unknown): v is Problem {
  return typeof v === 'object' && v !== null && 'code' in v && 'detail' in v
}

/** newKey is a fresh Idempotency-Key: a repeated attempt of the same write sends it again. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('')
}
