import { fireEvent, render, screen } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, type Snapshot } from '../lib/backend/api'
import { panel } from '../lib/app/panel.svelte'
import { everywhere, inLists } from '../lib/app/shortcuts'
import Go from './Go.svelte'
import Keys from './Keys.svelte'

const snapshot = { folders: [{ id: 'p', label: 'Photos', state: 'idle' }], devices: [] } as unknown as Snapshot

beforeEach(() => {
  vi.useFakeTimers()
  location.hash = '#/'
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('the list of keys', () => {
  it('has every key of the table', () => {
    render(Keys)
    expect(screen.getByRole('dialog', { name: 'Keys' })).toBeTruthy()
    expect(document.querySelectorAll('.keys dt').length).toBe(everywhere.length + inLists.length)
    expect(document.querySelectorAll('.combo').length).toBe([...everywhere, ...inLists].flatMap((s) => s.keys).length)
  })
})

describe('"Go to…"', () => {
  it('leads with the keyboard alone to what was typed', async () => {
    vi.spyOn(api, 'activity').mockResolvedValue({ entries: [], next: '', since: '', kept: 1, named: 1, dropped: false })
    panel.show('go')
    render(Go, { snapshot })
    const field = screen.getByRole('combobox')
    await fireEvent.input(field, { target: { value: 'photos' } })
    expect(screen.getAllByRole('option')[0]?.textContent).toBe('PhotosFolder')
    expect(field.getAttribute('aria-activedescendant')).toBe(screen.getAllByRole('option')[0]?.id)
    await fireEvent.keyDown(field, { key: 'ArrowDown' })
    expect(screen.getAllByRole('option')[1]?.getAttribute('aria-selected')).toBe('true')
    await fireEvent.keyDown(field, { key: 'ArrowUp' })
    await fireEvent.keyDown(field, { key: 'Enter' })
    await vi.advanceTimersByTimeAsync(10)
    expect([panel.open, location.hash]).toEqual(['', '#/folder/p'])
  })
  it('offers files that changed of late, and asks for them once somebody has typed', async () => {
    const ask = vi.spyOn(api, 'activity').mockResolvedValue({
      entries: [1, 2].map((n) => ({ seq: String(n), time: '', what: 'changed' as const, folder: 'p', label: 'Photos', path: 'a/<img src=x>.jpg', from: '', device: '', name: '', bytes: 1, count: 0, code: '', text: '' })),
      next: '', since: '', kept: 1, named: 1, dropped: false,
    })
    render(Go, { snapshot })
    expect(ask).not.toHaveBeenCalled()
    await fireEvent.input(screen.getByRole('combobox'), { target: { value: 'img' } })
    await vi.advanceTimersByTimeAsync(300)
    await tick()
    expect(ask.mock.calls).toEqual([[{ kind: 'files', search: 'img' }]])
    expect(screen.getAllByRole('option').map((o) => o.textContent)).toEqual(['a/<img src=x>.jpgFile, changed of late'])
    expect(document.querySelectorAll('img').length).toBe(0)
  })
})
