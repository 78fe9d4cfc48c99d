import { describe, expect, it } from 'vitest'
import type { Device, Folder, Snapshot } from '../backend/api'
import { device, folder } from './made.test-helper'
import { checkSign, grouped, idFault } from './deviceid'
import { Estimate, words } from './eta'
import { scale, Speed } from './speed.svelte'
import { roughly } from '../text/format'
import { deviceState, folderState, leftHere, safeToClose, workState } from './states'

const snapshot = (folders: Folder[], devices: Device[]): Snapshot => ({ folders, devices }) as Snapshot
const stop = { code: 'folder-missing', severity: 'stop' as const, text: '' }

describe('the word for a folder', () => {
  it.each<[string, Folder, Device[], string]>([
    ['everything everywhere', folder(), [device(0)], 'state.sync'],
    ['a device lacks something', folder(), [device(3)], 'state.sending'],
    ['that device is away', folder(), [device(3, { connected: false })], 'state.waiting'],
    ['a connected device has not told yet', folder(), [device(0, { folders: { f: { need_items: 0, need_bytes: 0, current: false } } })], 'state.waiting'],
    ['a device never told', folder(), [device(0, { folders: {} })], 'state.waiting'],
    ['in doubt here', folder({ in_sync: false }), [device(0)], 'state.waiting-any'],
    ['it is read', folder({ state: 'scanning', in_sync: false }), [device(0)], 'state.looking'],
    ['it arrives', folder({ state: 'syncing', need: { items: 2, bytes: 20 } }), [device(0)], 'state.receiving'],
    ['both ways', folder({ state: 'syncing', need: { items: 2, bytes: 20 } }), [device(3)], 'state.syncing'],
    ['shared with nobody', folder({ devices: [] }), [], 'state.alone'],
    ['paused', folder({ state: 'paused' }), [device(3)], 'state.paused'],
    ['some names cannot', folder({ failed_count: 2 }), [device(3)], 'state.cannot'],
    ['two versions before that', folder({ failed_count: 2, conflicts: 1 }), [device(3)], 'state.two'],
    ['held before that', folder({ conflicts: 1, held: 5 }), [device(3)], 'state.held'],
    ['stopped before all', folder({ held: 5, problems: [stop] }), [device(3)], 'state.stopped'],
  ])('%s', (_, f, devices, want) => expect(folderState({ folder: f, devices }).word).toBe(want))
})

describe('the word for a device', () => {
  const at = Date.parse('2026-11-21T12:00:00Z')
  const gone = (seconds: number): Partial<Device> => ({ connected: false, since: new Date(at - seconds * 1000).toISOString() })
  it.each<[string, Partial<Device>, string]>([
    ['connected', {}, 'state.connected'],
    ['paused', { paused: true }, 'state.paused'],
    ['just gone', gone(3), 'state.connecting'],
    ['gone', gone(30), 'state.out-of-reach'],
    ['refused', { problems: [stop] }, 'state.refused'],
    ['waits for its yes', { ...gone(30), problems: [{ code: 'waiting-for-their-yes', severity: 'wait', text: '' }] }, 'state.their-yes'],
  ])('%s', (_, change, want) => expect(deviceState(device(0, change), at).word).toBe(want))
})

describe('safe to close', () => {
  it.each<[string, Folder[], Device[], string]>([
    ['nobody', [], [], 'safe.alone'],
    ['no folder', [], [device(0)], 'safe.nothing'],
    ['all is there', [folder()], [device(0)], 'safe.yes'],
    ['all is there, and it is away', [folder()], [device(0, { connected: false })], 'safe.yes'],
    ['it comes', [folder()], [device(5)], 'safe.longer'],
    ['it waits', [folder()], [device(5, { connected: false })], 'safe.only-here'],
    ['one waits and one comes', [folder(), folder({ id: 'g', devices: ['C'] })], [device(5), device(5, { id: 'C', connected: false, folders: { g: { need_items: 1, need_bytes: 1, current: false } } })], 'safe.only-here'],
    ['nobody told', [folder()], [device(0, { folders: {} })], 'safe.only-here'],
    ['files are being read', [folder({ state: 'scanning' })], [device(0)], 'safe.longer'],
    ['paused', [folder({ state: 'paused' })], [device(0)], 'safe.only-here'],
    ['stopped', [folder({ state: 'stopped' })], [device(0)], 'safe.only-here'],
    ['shared with nobody', [folder({ devices: [] })], [device(0)], 'safe.only-here'],
    ['only receives', [folder({ type: 'receive-only', state: 'paused' })], [device(0)], 'safe.yes'],
  ])('%s', (_, folders, devices, want) => expect(safeToClose(snapshot(folders, devices)).title).toBe(want))
})

describe('how long', () => {
  it('is said after ten seconds of steady rate, as a range', () => {
    const e = new Estimate()
    for (let i = 0; i < 9; i++) e.add(100)
    expect(e.range(1000)).toBeUndefined()
    e.add(100)
    expect(e.range(1000)).toEqual([8.5, 11.5])
  })
  it('is not said of an unsteady rate', () => {
    const e = new Estimate()
    for (let i = 0; i < 30; i++) e.add(i % 10 < 5 ? 10 : 100)
    expect(e.range(1000)).toBeUndefined()
  })
  it('is said of a rate that comes in lumps', () => {
    const e = new Estimate()
    for (let i = 0; i < 20; i++) e.add(i % 2 === 0 ? 20 : 100)
    expect(e.range(600)).toEqual([8.5, 11.5])
  })
  it.each<[[number, number], object]>([
    [[10, 50], { key: 'eta.moment' }],
    [[360, 480], { key: 'eta.minutes', from: 6, to: 8 }],
    [[61, 62], { key: 'eta.minutes', from: 1, to: 2 }],
    [[3000, 4000], { key: 'eta.hour' }],
    [[7300, 10_000], { key: 'eta.hours', from: 2, to: 3 }],
    [[40_000, 90_000], { key: 'eta.long' }],
  ])('%j', (range, want) => expect(words(range)).toEqual(want))
  it('is that of the slowest of all that goes on at once', () => {
    const speed = new Speed()
    const to = [device(30_000, { out_rate: 5000 }), device(10_000, { id: 'C', out_rate: 5000 })]
    for (let i = 0; i < 10; i++) speed.tick(snapshot([], to))
    expect(speed.seconds).toBeCloseTo(60)
  })
  it('leaves out a device that does not ask, once that is plain', () => {
    const speed = new Speed()
    const state = snapshot([], [device(30_000, { out_rate: 5000 }), device(30_000, { id: 'C', out_rate: 0 })])
    for (let i = 0; i < 14; i++) speed.tick(state)
    expect(speed.seconds).toBeUndefined()
    speed.tick(state)
    expect(speed.seconds).toBeCloseTo(60)
  })
  it('counts of a file that comes only what is not here', () => {
    const speed = new Speed()
    const comes = folder({ state: 'syncing', need: { items: 1, bytes: 100_000 }, progress: { ...folder().progress, files: [{ name: 'film', done: 40_000, total: 100_000 }] } })
    for (let i = 0; i < 10; i++) speed.tick(snapshot([comes], [device(0, { in_rate: 6000 })]))
    expect(speed.seconds).toBeCloseTo(10)
    expect(speed.left.down).toBe(60_000)
  })
  it.each([[47.4, '47 seconds'], [99.9, '100 seconds'], [210, '3.5 minutes'], [9000, '2.5 hours']])('%d seconds are %s', (seconds, text) => expect(roughly(seconds, 'en')).toBe(text))
  it('keeps five minutes of points and shows the mean of three', () => {
    const speed = new Speed()
    for (let i = 0; i < 400; i++) speed.tick(snapshot([], [device(0, { out_rate: i })]))
    expect(speed.points.length).toBe(300)
    expect(speed.now.up).toBe(398)
  })
  it.each([[0, 1], [1, 1], [3, 5], [28e6, 50e6], [500, 500], [501, 1000]])('a scale for %d ends at %d', (value, top) => expect(scale(value)).toBe(top))
})

describe('a device ID', () => {
  const id = 'MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD'
  it('is taken as printed, in small letters, and without hyphens', () => {
    for (const text of [id, id.toLowerCase(), id.replaceAll('-', ''), ` ${id}\n`]) expect(idFault(text)).toBeUndefined()
  })
  it('names what is wrong', () => {
    expect(idFault(id.slice(0, 20))).toEqual({ key: 'id.length', params: { n: 18 } })
    expect(idFault(`${id.slice(0, 9)}§${id.slice(10)}`)).toEqual({ key: 'id.sign', params: { sign: '§' } })
    expect(idFault(id.replace('YLTMRWG', 'YLTMRWH'))).toEqual({ key: 'id.check', params: { from: 3, to: 4 } })
  })
  it('gets its groups while one types', () => {
    expect(grouped('mfzwi3dbonsg')).toBe('MFZWI3D-BONSG')
    expect(grouped('what is this?')).toBe('what is this?')
    expect(checkSign('MFZWI3DBONSGY')).toBe('C')
  })
})

describe('what goes on with a folder', () => {
  it('is told though something waits for a person', () => {
    const shared = { folder: folder({ conflicts: 1 }), devices: [device(3)] }
    expect(folderState(shared).word).toBe('state.two')
    expect(workState(shared)).toMatchObject({ word: 'state.sending', live: true })
  })
  it.each([folder({ state: 'paused' }), folder({ state: 'stopped' }), folder({ problems: [stop] })])('is nothing while it does not go on', (f) =>
    expect(workState({ folder: f, devices: [device(3)] })).toBeUndefined())
  it('leaves what has not come yet', () => {
    const progress = { ...folder().progress, done_bytes: 500, files: [{ name: 'a', done: 15, total: 20 }] }
    expect(leftHere(folder({ state: 'syncing', need: { items: 2, bytes: 20 }, progress }))).toBe(5)
    expect(leftHere(folder({ progress }))).toBe(0)
  })
  it('has no bytes where deletions alone are on their way', () => {
    const deletions = device(0, { folders: { f: { need_items: 30, need_bytes: 0, current: true } } })
    expect(safeToClose(snapshot([folder()], [deletions]))).toMatchObject({ kind: 'longer', line: 'safe.going-bare', params: { n: 30 } })
  })
})

describe('the speed of an engine that fell silent', () => {
  it('is none', () => {
    const speed = new Speed()
    speed.tick(snapshot([], [device(3, { in_rate: 900 })]))
    speed.still()
    expect(speed.points.map((p) => p.down)).toEqual([900, 0])
    expect(speed.now).toEqual({ up: 0, down: 0 })
    expect(speed.left).toEqual({ up: 0, down: 0 })
  })
})
