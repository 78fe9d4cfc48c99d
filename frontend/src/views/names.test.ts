// Names that strangers choose, in every view that the pages have: as text, with
// no element of their own and nothing that turns the words around them.
import { cleanup, fireEvent, render } from '@testing-library/svelte'
import { tick, type Component } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import hostile from '../../test/names.json'
import App from '../App.svelte'
import { api, type Snapshot } from '../lib/backend/api'
import { handed } from '../lib/app/handed.svelte'
import { panel } from '../lib/app/panel.svelte'
import { says } from '../lib/app/says.svelte'
import { store } from '../lib/app/store.svelte'
import { bare } from '../lib/text/names'
import { t } from '../lib/text/text.svelte'

const other = 'ABCDEFG-ABCDEFG'
const time = '2026-11-21T14:00:00Z'

/** A state in which everything that can have a name has this one. */
function state(name: string): Snapshot {
  const problem = (code: string, severity: string): object => ({ code, severity, text: name, param: { device: name, folder: name, file: name, path: name, other: name, network: name, id: name, devices: name, disk: name, cause: name } })
  const held = { direction: 'incoming', files: 2, dirs: 0, links: 0, bytes: 5, total: 9, devices: [name], names: [name, `dir/${name}`], since: time, token: 't' }
  const folder = {
    id: name, label: name, path: `/home/${name}`, type: 'send-receive', state: 'syncing', problem: null, global: { files: 9, dirs: 1, bytes: 90 }, local: { files: 8, dirs: 1, bytes: 80 },
    need: { items: 1, bytes: 10 }, conflicts: 1, held: 2, held_back: [held], in_sync: false, failed_count: 1, devices: [other],
    problems: [problem('folder-missing', 'stop'), problem('two-versions', 'ask'), problem('name-invalid', 'some')],
    failed: [{ name, code: 'name-invalid', text: name, param: { file: name, path: name } }],
    progress: { done_bytes: 1, total_bytes: 10, rate: 5, seconds_left: 3, files: [{ name: `dir/${name}`, done: 1, total: 10 }] },
  }
  const device = {
    id: other, name, connected: true, paused: false, address: `quic://${name}`, reach: { over: 'wifi', direct: true }, client: name, folders: { [name]: { need_items: 1, need_bytes: 10, current: true } }, in_bytes: 5, out_bytes: 5, in_rate: 2000, out_rate: 2000, sending: [{ folder: name, name: `dir/${name}`, done: 1, total: 10 }],
    problem: null, problems: [problem('device-other-identity', 'ask')], since: time, last_seen: time,
  }
  const run = (id: string, more: object): object => ({
    id, method: 'number', began: true, invitation: '', state: 'asking', device: other, name, same_name: true, digits: '417 902', choices: [], problem: null, since: time, ...more,
  })
  return {
    device_id: 'SELFSEL', name, version: '1.0', listen: [`quic://${name}`], activity: '1', removed: [{ id: other, name, time }], problems: [problem('network-untrusted', 'ask')], folders: [folder],
    devices: [device, { ...device, id: 'TWINTWI', connected: false }],
    offers: [{ device: other, name, address: name, folder: `${name}2`, label: name, time, connected: true, paused: false, refused: false, joined: false, counted: true, files: 3, bytes: 30, path: `/home/${name}`, free: 1000 }],
    pairing: {
      open: true, invitation: null, nearby: [{ key: 'k', name, id: '', same_name: true }],
      runs: [run('r1', {}), run('r2', { state: 'connected' }), run('r3', { state: 'waiting' }), run('r4', { state: 'failed', problem: problem('digits-differ', 'ask') }), run('r5', { state: 'connecting', digits: '' })],
      requests: [{ id: 'q', device: other, name, address: name, time }],
    },
  } as unknown as Snapshot
}

/** The API as a thing of which each method may be given another answer. */
const asked = api as unknown as Record<string, () => Promise<unknown>>

function give(method: keyof typeof api, value: unknown): void {
  vi.spyOn(asked, method).mockResolvedValue(value)
}

function answers(name: string): void {
  for (const method of Object.keys(api) as (keyof typeof api)[]) give(method, undefined)
  const one = { device: other, name, modified: time, bytes: 5, text: `${name}\nsame` }
  const two = { folder: name, path: `dir/${name}`, copy: `dir/${name}2`, mine_named: true, token: 't', named: one, beside: { ...one, text: `${name}!\nsame` } }
  give('conflicts', { files: [two], total: 1 })
  give('conflict', two)
  give('versions', [{ path: name, time, modified: time, bytes: 5, store: name }])
  give('why', { folder: name, path: name, device: '', in_sync: false, code: 'two-versions', text: name, local: 'file', lacking: [name], param: { file: name, other: name }, more: [{ code: 'nobody-knows', text: name }] })
  give('files', { files: [{ name, kind: 'file', bytes: 5, modified: time, state: 'coming' }, { name: `${name}.d`, kind: 'directory', bytes: 0, modified: time, state: 'sync' }], next: '' })
  give('needed', { files: [{ name: `dir/${name}`, kind: 'file', bytes: 5, modified: time, state: 'coming' }], next: '' })
  give('rules', { text: name, token: 't' })
  give('tryRules', { files: 1, dirs: 0, bytes: 5, of: 9, names: [name] })
  give('lookAt', { path: `/home/${name}`, exists: false, files: 0, bytes: 0, whole: true, refused: null })
  give('heldFiles', { files: [{ path: `dir/${name}`, bytes: 5, device: name }], total: 1 })
  give('licences', name)
  give('networks', [{ id: name, name, here: true, trust: 'unasked' }])
  give('doctor', { checks: [{ check: 'firewall', text: name, findings: [{ on: name, problem: { code: 'nobody-knows', text: name, severity: 'ask' } }] }] })
  give('support', { text: name })
  give('startup', { login: true })
  give('openInvitation', { id: 'i', link: 'lanyard://pair#A', code: 'LANYARD:A', expires: time })
  give('readInvitation', { device: other, expires: time, text: name })
  give('previewFolder', {
    same: { files: 1, bytes: 1 }, there: { files: 1, bytes: 1 }, here: { files: 1, bytes: 1 }, differ: 1, skipped: 1, incoming: 1, outgoing: 1, free: 100, complete: false, token: 't', choices: ['both', 'theirs'],
    names: [{ name: `dir/${name}`, here: { bytes: 1, modified: time }, there: { bytes: 1, modified: time } }],
  })
  const happening = (seq: number, what: string, more: object = {}): object => ({ seq: String(seq), time, what, folder: name, label: name, path: '', from: '', device: other, name, bytes: 5, count: 0, code: '', text: '', ...more })
  give('activity', {
    entries: [
      happening(9, 'renamed', { path: `dir/${name}`, from: `old/${name}` }), happening(8, 'two-versions', { path: name, from: name }), happening(7, 'shared'), happening(6, 'connected', { folder: '', label: '' }),
      happening(5, 'raised', { code: 'nobody-knows', text: name }), happening(4, 'deleted', { path: name, device: '' }),
    ],
    next: '', since: time, kept: 2000, named: 50, dropped: true,
  })
}

const part = encodeURIComponent
const places: [string, (name: string) => string][] = [
  ['overview', () => '#/'], ['needs', () => '#/needs'], ['transfers', () => '#/transfers'], ['activity', () => '#/activity'], ['more', () => '#/more'], ['settings', () => '#/settings'],
  ['doctor', () => '#/doctor'], ['support', () => '#/support'], ['licences', () => '#/licences'], ['connect', () => '#/connect'], ['a code', () => '#/connect/code'], ['an ID', (n) => `#/connect/id?id=${part(n)}`], ['share', () => '#/share'],
  ...['', '/files', '/conflicts', '/history', '/rules', '/options'].map((tab): [string, (name: string) => string] => [`folder${tab}`, (n) => `#/folder/${part(n)}${tab}?path=${part(n)}`]),
  ['a folder that is not there', () => '#/folder/nowhere'], ['device', () => `#/device/${other}`], ['offer', (n) => `#/offer/${part(`${n}2`)}/${other}`],
  ['why', (n) => `#/why/${part(n)}?path=${part(n)}`], ['versions', (n) => `#/versions/${part(n)}?path=${part(n)}`], ['conflict', (n) => `#/conflict/${part(n)}?path=${part(n)}`],
]

/** Marks of our own are in pairs around a name; nothing else may turn text. */
const turning = /[\u202A-\u202E\u2066\u2067\u061C\u200E\u200F]/u

function sound(where: string): void {
  const found = document.body.querySelectorAll('img, script, iframe, object, embed, foreignObject, [onerror], [onload], [onmouseover], a[href^="javascript"]')
  expect({ where, found: [...found].map((e) => e.outerHTML) }).toEqual({ where, found: [] })
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const turns: string[] = []
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement?.closest('textarea, pre')) continue // the person's own text
    if (turning.test(node.textContent ?? '')) turns.push(node.parentElement?.outerHTML ?? '')
  }
  expect({ where, turns }).toEqual({ where, turns: [] })
  const attributes = ['title', 'aria-label', 'aria-valuetext', 'placeholder', 'alt']
  const turned = attributes.flatMap((name) => [...document.body.querySelectorAll(`[${name}]`)].filter((e) => turning.test(e.getAttribute(name) ?? '')).map((e) => `${name} of ${e.outerHTML.slice(0, 200)}`))
  expect({ where, turned }).toEqual({ where, turned: [] })
}

const settle = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(700)
  await tick()
}

async function go(hash: string): Promise<void> {
  location.hash = hash
  dispatchEvent(new HashChangeEvent('hashchange'))
  await settle()
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(store, 'follow').mockReturnValue(() => undefined) // no engine is asked, whichever test came before
})
afterEach(() => {
  cleanup() // before anything is asked in earnest
  vi.advanceTimersByTime(1000)
  store.snapshot = undefined
  panel.close()
  says.dismiss()
  vi.restoreAllMocks()
  vi.useRealTimers()
  location.hash = ''
})

describe('a name of a device, a folder and a file', () => {
  it.each(hostile.together)('%j is text in every view', async (name) => {
    answers(name)
    store.snapshot = state(name)
    render(App as Component)
    for (const [view, hash] of places) {
      await go(hash(name))
      sound(view)
      expect({ view, title: turning.test(document.title) || document.title.includes('\u2068') }).toEqual({ view, title: false })
    }
    says.done(t('offer.refused', { folder: name }))
    panel.show('go')
    await settle()
    const field = document.querySelector<HTMLInputElement>('dialog input')
    expect(field).not.toBeNull()
    if (field) await fireEvent.input(field, { target: { value: bare(name).slice(0, 3) } })
    await settle()
    sound('go to')
    handed.link = name
    await go('#/connect/code')
    sound('a link that was handed over')
    handed.path = `/home/${name}`
    handed.file = name
    await go('#/share')
    sound('a file that was dropped')
    await go(`#/folder/${part(name)}`)
    for (const details of document.querySelectorAll('details')) {
      details.open = true
      details.dispatchEvent(new Event('toggle'))
    }
    await settle()
    sound('what is held')
  }, 30_000)
})
