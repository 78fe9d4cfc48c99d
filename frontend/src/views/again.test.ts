import { render, screen } from '@testing-library/svelte'
import { describe, expect, it, vi } from 'vitest'
import type { Held, Problem, Run, Snapshot } from '../lib/backend/api'
import { folderLine } from '../lib/app/lines'
import { announceAsked, putAside, runs } from '../lib/app/pairing.svelte'
import { store } from '../lib/app/store.svelte'
import { device, folder } from '../lib/state/made.test-helper'
import { Speed } from '../lib/state/speed.svelte'
import Device from './Device.svelte'
import Folder from './Folder.svelte'
import HeldCard from './HeldCard.svelte'

const whole = (change: Partial<Snapshot>): Snapshot =>
  ({ folders: [], devices: [], offers: [], problems: [], pairing: { nearby: [], runs: [], requests: [] }, ...change }) as unknown as Snapshot
const told = (code: string, severity: string): Problem => ({ code, severity, text: '', param: { device: "Ben's laptop", folder: 'Photos' } })

const run = (id: string, state: string): Run => ({ id, state, device: 'B', name: "Ben's laptop", digits: '', choices: [], problem: null }) as unknown as Run
const pairing = (list: Run[]): Snapshot => whole({ pairing: { nearby: [], runs: list, requests: [] } as unknown as Snapshot['pairing'] })

describe('a comparison that came to nothing', () => {
  it('stands until it is put aside, though the engine forgets it', () => {
    announceAsked(pairing([run('1', 'failed')]))
    expect(runs(pairing([])).map((r) => r.id)).toEqual(['1'])
    putAside(run('1', 'failed'))
    expect(runs(pairing([]))).toEqual([])
  })
  it('goes where there is a newer one with that device', () => {
    announceAsked(pairing([run('2', 'failed')]))
    const again = pairing([run('3', 'asking')])
    announceAsked(again)
    expect(runs(again).map((r) => r.id)).toEqual(['3'])
    expect(runs(pairing([]))).toEqual([])
  })
})

const lacking = { f: { need_items: 2, need_bytes: 20, current: false } }

describe('a folder whose other device', () => {
  it.each([
    ['is paused here', device(2, { paused: true, connected: false, folders: lacking }), [], 'You paused it. 2 changes go over when you resume it'],
    ['paused the folder', device(0, { folders: lacking, problems: [told('device-paused-there', 'wait')] }), [], 'It is paused there, and goes on when someone resumes it there'],
    ['knows this one no more', device(0, { connected: false, folders: {}, problems: [told('device-forgot-us', 'stop')] }), [], 'no longer knows this computer'],
    ['left the folder', device(0, { folders: {} }), [told('folder-left-by', 'ask')], 'no longer shares'],
  ])('%s says that', (_, d, problems, says) => {
    expect(folderLine({ folder: folder({ problems }), devices: [d] })).toContain(says)
  })
  it('knows this one no more is not said to have everything of it', () => {
    store.snapshot = whole({ folders: [folder()], devices: [device(0, { folders: {} })] })
    const { container } = render(Device, { id: 'B' })
    expect(container.textContent).not.toContain('has everything')
  })
})

describe('what another device lacks and does not ask for', () => {
  it('is told as that, and not as if it were on its way', () => {
    const s = whole({ folders: [folder()], devices: [device(3)] })
    store.snapshot = s
    store.speed = new Speed()
    for (let i = 0; i < 14; i++) store.speed.tick(s)
    expect(store.speed.idle).toBe(false)
    store.speed.tick(s)
    const { container } = render(Folder, { id: 'f', tab: '', path: '' })
    expect(container.textContent).toMatch(/Ben's laptop.? does not ask for the rest at the moment/u)
    expect(container.textContent).not.toContain('working out how long')
    store.speed.tick(whole({ folders: [folder()], devices: [device(3, { out_rate: 5000 })] }))
    expect(store.speed.idle).toBe(false)
  })
})

describe('the card of held deletions', () => {
  it.each([['incoming', true], ['outgoing', false]] as const)('that are %s says whether a few went through: %s', (direction, few) => {
    const held = { direction, files: 9, dirs: 0, links: 0, bytes: 5, total: 10, devices: ['Ben'], names: [], since: '2026-11-21T14:00:00Z', token: 't' } as unknown as Held
    render(HeldCard, { held, folder: folder() })
    expect(screen.queryByRole('link', { name: 'What was deleted' })?.getAttribute('href')).toBe(few ? '#/activity?folder=f&kind=files' : undefined)
    vi.restoreAllMocks()
  })
})
