import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { everywhere, inLists, pressed, shortcuts, written } from './shortcuts'
import { panel } from './panel.svelte'
import { t } from '../text/text.svelte'

const key = (key: string, more: KeyboardEventInit = {}): KeyboardEvent => new KeyboardEvent('keydown', { key, cancelable: true, bubbles: true, ...more })
const press = (e: KeyboardEvent, on: Element = document.body): boolean => {
  on.addEventListener('keydown', (e) => shortcuts(e as KeyboardEvent), { once: true })
  on.dispatchEvent(e)
  return e.defaultPrevented
}

beforeEach(() => panel.close())
afterEach(() => {
  document.body.replaceChildren()
  vi.restoreAllMocks()
})

describe('a key', () => {
  it('is written as in the table, whatever keyboard makes a sign of it', () => {
    expect([key('k', { ctrlKey: true }), key('P', { ctrlKey: true, shiftKey: true }), key('?', { shiftKey: true }), key('?', { ctrlKey: true, shiftKey: true }), key('?'), key('F6', { shiftKey: true }), key('ArrowLeft', { altKey: true }), key('K')].map(pressed)).toEqual([
      'mod+k', 'mod+shift+p', '?', 'mod+?', '?', 'shift+f6', 'alt+arrowleft', 'k',
    ])
  })
  it('opens what the table says', () => {
    expect(press(key('k', { ctrlKey: true }))).toBe(true)
    expect(panel.open).toBe('go')
    panel.close()
    expect(press(key('?', { shiftKey: true }))).toBe(true)
    expect(panel.open).toBe('keys')
  })
  it('is left to the field in which one writes', () => {
    const field = document.body.appendChild(document.createElement('input'))
    expect([press(key('?'), field), panel.open]).toEqual([false, ''])
    expect([press(key('k', { ctrlKey: true }), field), panel.open]).toEqual([true, 'go'])
  })
  it('does nothing behind a dialog', () => {
    document.body.appendChild(document.createElement('dialog')).setAttribute('open', '')
    expect([press(key('k', { ctrlKey: true })), panel.open]).toEqual([false, ''])
  })
  it('searches in the page where there is something to search, else in the browser', () => {
    expect(press(key('f', { ctrlKey: true }))).toBe(false)
    const main = document.body.appendChild(document.createElement('main'))
    const field = main.appendChild(document.createElement('input'))
    field.dataset['find'] = ''
    expect([press(key('f', { ctrlKey: true })), document.activeElement === field]).toEqual([true, true])
  })
})

describe('the table', () => {
  const all = [...everywhere, ...inLists]
  it('gives each key to one act, and has words for all', () => {
    const keys = all.flatMap((s) => s.keys)
    expect(keys.length).toBe(new Set(keys).size)
    for (const s of all) expect(t(s.says)).not.toBe(s.says)
    for (const s of all) for (const k of s.keys) expect(written(k, t).every((part) => part !== '' && !part.startsWith('key.'))).toBe(true)
  })
  it('has the keys that people know', () => {
    const keys = everywhere.flatMap((s) => s.keys)
    expect(keys).toEqual(expect.arrayContaining(['mod+1', 'mod+2', 'mod+3', 'mod+4', 'mod+,', 'mod+k', 'mod+f', 'mod+n', 'mod+o', 'mod+z', 'f6', 'escape', '?', 'mod+?']))
  })
})
