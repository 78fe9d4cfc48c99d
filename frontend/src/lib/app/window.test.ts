import { afterEach, describe, expect, it, vi } from 'vitest'
import { handed } from './handed.svelte'
import { show } from './window'

afterEach(() => {
  vi.unstubAllGlobals()
  location.hash = ''
})

describe('what was handed over', () => {
  it('is shown to be asked about, and nothing else is done', () => {
    const asked: string[] = []
    vi.stubGlobal('fetch', (url: string) => asked.push(url))
    show({ link: 'lanyard://pair#ABC' })
    expect([handed.link, location.hash]).toEqual(['lanyard://pair#ABC', '#/connect/code'])
    show({ path: '/home/anna/Pictures' })
    expect([handed.path, location.hash]).toEqual(['/home/anna/Pictures', '#/share'])
    show({ page: '#/needs' })
    expect(location.hash).toBe('#/needs')
    expect(asked).toEqual([])
  })
})
