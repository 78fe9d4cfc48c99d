import { afterEach, describe, expect, it, vi } from 'vitest'
import { call, Order, Refused } from './transport'

afterEach(() => vi.unstubAllGlobals())

function answer(status: number, body: string): { asked: [string, RequestInit][] } {
  const asked: [string, RequestInit][] = []
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push([url, init])
    return Promise.resolve(new Response(status === 204 ? null : body, { status }))
  })
  return { asked }
}

describe('a request', () => {
  it('carries its names in the address and a string in its body', async () => {
    const { asked } = answer(200, '[]')
    await call('post', '/folders/{folder}/held', { path: { folder: 'a/b ?#' }, body: { do: 'restore', token: 'x' } })
    await call('get', '/folders/{folder}/why', { path: { folder: 'f' }, query: { path: 'ü/&=.txt' } })
    expect(asked[0]?.[0]).toBe('/api/v1/folders/a%2Fb%20%3F%23/held')
    expect(asked[0]?.[1].body).toBe('{"do":"restore","token":"x"}')
    expect(asked[1]?.[0]).toBe('/api/v1/folders/f/why?path=%C3%BC%2F%26%3D.txt')
  })
  it('fails with the words of the engine', async () => {
    answer(409, '{"code":"disk-full","text":"no space","remedy":"make room","item":""}')
    await expect(call('get', '/status')).rejects.toMatchObject({ status: 409, message: 'no space', code: 'disk-full', remedy: 'make room' })
  })
  it('says when nobody answers', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('x')))
    await expect(call('get', '/status')).rejects.toBeInstanceOf(Refused)
  })
})

const event = (seq: number): Parameters<Order['take']>[0] => ({ seq: String(seq), status: { name: String(seq) } as never })

describe('states', () => {
  it('are told once, in order, and gaps are noticed', () => {
    const told: string[] = []
    let gaps = 0
    const order = new Order((s) => told.push(s.name), () => gaps++)
    for (const seq of [4, 5, 5, 3, 8, 9]) order.take(event(seq))
    expect([told, gaps]).toEqual([['4', '5', '8', '9'], 1])
    order.restart()
    order.take(event(1))
    expect([told.at(-1), gaps]).toEqual(['1', 1])
  })
})
