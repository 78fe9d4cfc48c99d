import { afterEach, describe, expect, it, vi } from 'vitest'
import { handed } from './handed.svelte'
import { show, takeDrops } from './window'

afterEach(() => {
  vi.unstubAllGlobals()
  location.hash = ''
})

/** Reports whether a drop is kept from the browser. */
const dropped = (types: string[]): boolean => {
  const e = Object.assign(new Event('drop', { cancelable: true }), { dataTransfer: { types } })
  window.dispatchEvent(e)
  return e.defaultPrevented
}

describe('what was handed over', () => {
  it('is shown to be asked about, and nothing else is done', () => {
    const asked: string[] = []
    vi.stubGlobal('fetch', (url: string) => asked.push(url))
    show({ link: 'lanyard://pair#ABC' })
    expect([handed.link, location.hash]).toEqual(['lanyard://pair#ABC', '#/connect/code'])
    show({ path: '/home/anna/Pictures' })
    expect([handed.path, location.hash]).toEqual(['/home/anna/Pictures', '#/share'])
    expect(handed.file).toBe('')
    show({ path: '/home/anna', file: 'plan.txt' })
    expect([handed.path, handed.file]).toEqual(['/home/anna', 'plan.txt'])
    show({ page: '#/needs' })
    expect(location.hash).toBe('#/needs')
    expect(asked).toEqual([])
  })
  it('leaves a picture to the page that reads codes', () => {
    location.hash = '#/connect/code'
    show({ path: '/home/anna', file: 'code.png' })
    expect(location.hash).toBe('#/connect/code')
  })
  it('is asked for where a browser does not tell it', () => {
    takeDrops()
    location.hash = '#/settings'
    expect([dropped(['text/plain']), location.hash]).toEqual([false, '#/settings'])
    expect([dropped(['Files']), location.hash]).toEqual([true, '#/share'])
  })
})
