import { render, screen } from '@testing-library/svelte'
import { createRawSnippet, flushSync } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Problem, Snapshot } from '../lib/backend/api'
import { router } from '../lib/app/router.svelte'
import { store } from '../lib/app/store.svelte'
import { device, folder } from '../lib/state/made.test-helper'
import { day } from '../lib/text/text.svelte'
import Device from './Device.svelte'
import Folder from './Folder.svelte'
import Guard from './Guard.svelte'
import Nearby from './Nearby.svelte'
import Needs from './Needs.svelte'

const whole = (change: Partial<Snapshot>): Snapshot =>
  ({ folders: [], devices: [], offers: [], problems: [], pairing: { nearby: [], runs: [], requests: [] }, ...change }) as unknown as Snapshot
const missing: Problem = { code: 'folder-missing', severity: 'stop', text: '', param: { path: '/p' } }

afterEach(() => vi.useRealTimers())

describe('the page of a device', () => {
  it.each([
    ['number', '2026-11-03T10:00:00Z', 'Verified by comparing six digits'],
    ['picture', '2026-11-03T10:00:00Z', 'Verified by a picture of its code'],
    ['request', '2026-11-03T10:00:00Z', 'Accepted when it asked to connect'],
    ['id', undefined, 'Added by its device ID When that was is not known.'],
    [undefined, undefined, 'How it was verified is not known'],
  ] as const)('says how and when it was verified: %s, %s', (paired, at, text) => {
    store.snapshot = whole({ devices: [device(0, { ...(paired ? { paired } : {}), ...(at ? { paired_at: at } : {}) })] })
    const { container } = render(Device, { id: 'B' })
    expect(container.textContent?.replace(/\s+/g, ' ')).toContain(at ? `${text}, ${day(at)}` : text)
  })
})

describe('the page of a folder', () => {
  it('has the button that helps where a condition is told', () => {
    const problems: Problem[] = [missing, { code: 'two-versions', severity: 'ask', text: '', param: { file: 'a' } }, { code: 'rule-broken', severity: 'stop', text: '' }]
    store.snapshot = whole({ folders: [folder({ state: 'stopped', problems })], devices: [device(0)] })
    render(Folder, { id: 'f', tab: '', path: '' })
    expect(screen.getByRole('button', { name: 'Check again' })).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Compare' }).getAttribute('href')).toBe('#/folder/f/conflicts')
    expect(screen.getByRole('link', { name: 'Mend the line' }).getAttribute('href')).toBe('#/folder/f/rules')
  })
  it.each([
    ['is gone', folder({ state: 'stopped', problems: [missing] }), device(0)],
    ['goes to another device', folder({ conflicts: 1 }), device(3)],
    ['is looked at', folder({ state: 'scanning' }), device(0)],
  ])('does not say that nothing moves while it %s', (_, f, d) => {
    store.snapshot = whole({ folders: [f], devices: [d] })
    const { container } = render(Folder, { id: 'f', tab: '', path: '' })
    expect(container.textContent).not.toContain('Nothing is moving')
  })
  it('says that nobody has accepted it there, not that its device is away', () => {
    const waits: Problem = { code: 'folder-not-accepted', severity: 'wait', text: '', param: { device: "Ben's laptop", folder: 'Photos' } }
    store.snapshot = whole({ folders: [folder({ problems: [waits] })], devices: [device(3, { folders: { f: { need_items: 3, need_bytes: 30, current: false } } })] })
    const { container } = render(Folder, { id: 'f', tab: '', path: '' })
    expect(container.textContent).toContain('Nobody has accepted it there yet')
    expect(container.textContent).not.toContain('when it is back')
  })
})

describe('conditions of the same code', () => {
  const full: Problem = { code: 'disk-full', severity: 'stop', text: '', param: { path: '/p' } }
  it('stand beside each other in the pages of a folder and of what needs a person', () => {
    const waits = ['Ben', 'Ida'].map((name): Problem => ({ code: 'folder-not-accepted', severity: 'wait', text: '', param: { device: name, folder: 'Photos' } }))
    const nets = ['home', 'work'].map((name): Problem => ({ code: 'network-untrusted', severity: 'ask', text: '', param: { id: name, network: name } }))
    const f = folder({ problems: [{ ...full, count: 17 }, full, ...waits] })
    store.snapshot = whole({ folders: [f], devices: [device(0)], problems: nets })
    const page = render(Folder, { id: 'f', tab: '', path: '' })
    expect(page.container.querySelectorAll('.problem')).toHaveLength(4)
    page.unmount()
    const { container } = render(Needs, { snapshot: store.snapshot })
    expect(container.querySelectorAll('.askrow')).toHaveLength(4)
  })
})

describe('a page that cannot be drawn', () => {
  it('says so, and is drawn again once one has gone on', () => {
    const told = vi.fn()
    const before = globalThis.reportError
    globalThis.reportError = told
    let broken = true
    const children = createRawSnippet(() => ({
      render: () => {
        if (broken) throw new Error('no')
        return '<p>drawn</p>'
      },
    }))
    const { container } = render(Guard, { children })
    expect(container.textContent).toContain('This page cannot be drawn')
    broken = false
    router.moves++
    flushSync()
    expect(container.textContent).toBe('drawn')
    expect(told).toHaveBeenCalledOnce()
    globalThis.reportError = before
  })
})

describe('the page of a device', () => {
  it('has the way back to a folder that was declined', () => {
    store.snapshot = whole({ devices: [device(0)], offers: [{ folder: 'g', device: 'B', label: 'Music', refused: true }] as unknown as Snapshot['offers'] })
    const { container } = render(Device, { id: 'B' })
    expect(container.textContent).toContain('Music')
    expect(container.textContent).toContain('declined here')
    expect(screen.getByRole('link', { name: 'Choose a place' }).getAttribute('href')).toBe('#/offer/g/B')
  })
})

describe('devices nearby', () => {
  const ben = { key: 'k', name: "Ben's laptop", id: '', same_name: true }
  const pairing = (runs: unknown[]): Snapshot['pairing'] => ({ nearby: [ben], runs, requests: [] }) as unknown as Snapshot['pairing']
  it('that told no ID are not called others than the one that is connected', () => {
    const { container } = render(Nearby, { snapshot: whole({ devices: [device(0)], pairing: pairing([]) }) })
    expect(container.textContent).toContain('This is the same one, or another of that name.')
    expect(container.textContent).not.toContain('This is a different one')
  })
  it('are not chosen twice while their number is compared', async () => {
    const { rerender } = render(Nearby, { snapshot: whole({ pairing: pairing([{ name: ben.name, state: 'asking' }]) }) })
    expect((screen.getByRole('button') as HTMLButtonElement).disabled).toBe(true)
    await rerender({ snapshot: whole({ pairing: pairing([{ name: ben.name, state: 'failed' }]) }) })
    expect((screen.getByRole('button') as HTMLButtonElement).disabled).toBe(false)
  })
  it('are told from those that are connected already where none is left', async () => {
    vi.useFakeTimers()
    const { container } = render(Nearby, { snapshot: whole({ devices: [device(0)] }) })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(container.textContent).toMatch(/Connected already: .?Ben's laptop/u)
  })
})
