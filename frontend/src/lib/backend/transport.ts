/**
 * The one way to the engine. The same pages run in the window and in a browser:
 * both ask with same-origin requests that carry a string or nothing, never a
 * Blob or FormData, which kill the window on Linux. Only the stream of states
 * differs: a Wails event in the window, server-sent events in a browser.
 */
import { host, type Host } from './host'
import type { components, paths } from './schema'

export type Schemas = components['schemas']

/** Why a request did not succeed, in the engine's own words. */
export class Refused extends Error {
  /** HTTP status; 0 where nobody answered. */
  readonly status: number
  readonly code: string
  readonly remedy: string
  /** What its sentences name. */
  readonly param: Record<string, string>

  constructor(status: number, text: string, code = '', remedy = '', param: Record<string, string> = {}) {
    super(text)
    this.status = status
    this.code = code
    this.remedy = remedy
    this.param = param
  }
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never
type Of<T, K extends string> = T extends { parameters: { [k in K]: infer V } } ? V : unknown
type Body<T> = T extends { requestBody: { content: { 'application/json': infer B } } } ? B : undefined
type Answer<T> = T extends { responses: { 200: { content: { 'application/json': infer R } } } } ? R : undefined

/** What goes into the path and the query of a request, and its body. */
export interface Input<T> {
  path?: Of<T, 'path'>
  query?: Of<T, 'query'>
  body?: Body<T>
}

const base = '/api/v1'
const patience = 60_000

/** Asks the engine. It fails with Refused. */
export async function call<P extends keyof paths, M extends Method>(
  method: M,
  path: P,
  input: Input<Operation<P, M>> = {},
  wait = patience,
): Promise<Answer<Operation<P, M>>> {
  return (await request(method, base + address(path, input.path, input.query), input.body, wait)) as Answer<Operation<P, M>>
}

function address(template: string, path: unknown, query: unknown): string {
  const values = (path ?? {}) as Record<string, string>
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
  const search = new URLSearchParams(query as Record<string, string> | undefined).toString()
  return search === '' ? filled : `${filled}?${search}`
}

async function request(method: string, url: string, body?: unknown, wait = patience): Promise<unknown> {
  const init: RequestInit = { method: method.toUpperCase(), credentials: 'same-origin', signal: AbortSignal.timeout(wait) }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'Content-Type': 'application/json' }
  }
  let response: Response
  try {
    response = await fetch(url, init)
  } catch {
    throw new Refused(0, 'nobody answers', 'nobody-answers')
  }
  const text = await response.text()
  const answer: unknown = text === '' ? undefined : parse(text)
  if (response.ok) return answer
  const told = (answer ?? {}) as Partial<Schemas['Error']>
  throw new Refused(response.status, told.text ?? response.statusText, told.code, told.remedy, { item: told.item ?? '', ...told.param })
}

/** Gives a text that was built beside the pages. It fails with Refused. */
export async function built(name: string): Promise<string> {
  let response: Response
  try {
    response = await fetch(`/${name}`, { credentials: 'same-origin', signal: AbortSignal.timeout(patience) })
  } catch {
    throw new Refused(0, 'nobody answers', 'nobody-answers')
  }
  if (!response.ok) throw new Refused(response.status, response.statusText)
  return response.text()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One state of the engine. Numbers rise by one; a gap means that states were skipped. */
export type Event = Schemas['SnapshotEvent']

/** How the stream of states is doing. */
export type Health = 'live' | 'lost' | 'stranger'

/**
 * Calls told with the present state and then with newer ones, and health when
 * the stream breaks or comes back, until the returned function is called.
 */
export function subscribe(told: (state: Schemas['Snapshot']) => void, health: (h: Health) => void): () => void {
  const order = new Order(told, () => void refetch())
  let ended = false
  let generation = 0
  /** Fetches the state; nothing that came meanwhile is overwritten. */
  async function refetch(): Promise<void> {
    const before = ++generation
    try {
      const state = await call('get', '/status')
      if (!ended && before === generation) told(state)
      if (!ended) health('live')
    } catch (e) {
      if (!ended) health(e instanceof Refused && e.status === 401 ? 'stranger' : 'lost')
    }
  }
  function take(event: Event): void {
    generation++
    order.take(event)
    health('live')
  }
  const stop = host ? follow(host) : listen(take, order, refetch, health)
  return () => {
    ended = true
    stop()
  }

  function follow(window: Host): () => void {
    const stops = [
      window.on('lanyard', take),
      // Another engine begins its numbers anew.
      window.on('lanyard-engine', (found: boolean) => {
        order.restart()
        if (!found) health('lost')
      }),
    ]
    void refetch()
    return () => stops.forEach((stop) => stop())
  }
}

/** How long to wait before the stream is opened anew, in milliseconds. */
const pause = 1000

function listen(take: (e: Event) => void, order: Order, refetch: () => Promise<void>, health: (h: Health) => void): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  function open(): void {
    order.restart()
    source = new EventSource(`${base}/events`)
    source.addEventListener('snapshot', (e) => take(JSON.parse((e as MessageEvent<string>).data) as Event))
    source.addEventListener('error', () => {
      source?.close()
      health('lost')
      // Tells a door that does not know us from an engine that has gone.
      void refetch()
      timer = setTimeout(open, pause)
    })
  }
  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}

/** Passes states on in their order, and notices those that were skipped. */
export class Order {
  #last: bigint | undefined
  readonly #told: (state: Schemas['Snapshot']) => void
  readonly #gap: () => void

  constructor(told: (state: Schemas['Snapshot']) => void, gap: () => void) {
    this.#told = told
    this.#gap = gap
  }

  /** The numbers begin anew, as with an engine that was started again. */
  restart(): void {
    this.#last = undefined
  }

  take(event: Event): void {
    const seq = BigInt(event.seq)
    const last = this.#last
    if (last !== undefined && seq <= last) return
    this.#last = seq
    this.#told(event.status)
    if (last !== undefined && seq > last + 1n) this.#gap()
  }
}

/** How a browser comes in. The window has no door and needs none. */
export const door = {
  /** Whether a password lets this browser in. */
  async asks(): Promise<{ in: boolean; password: boolean }> {
    return (await request('get', '/session')) as { in: boolean; password: boolean }
  },
  /** Shows the secret of a one-time address, or the password. */
  async enter(entry: { token: string } | { password: string }): Promise<void> {
    await request('post', '/session', entry)
  },
}
