// How a device is connected, and what it offers, wherever a device is shown.
import { fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, type Device as Peer, type Offer, type Run, type Snapshot } from '../lib/backend/api'
import { Refused } from '../lib/backend/transport'
import { router } from '../lib/app/router.svelte'
import { store } from '../lib/app/store.svelte'
import { device } from '../lib/state/made.test-helper'
import { bare } from '../lib/text/names'
import { speech } from '../lib/text/text.svelte'
import Device from './Device.svelte'
import Needs from './Needs.svelte'
import Overview from './Overview.svelte'
import RunCard from './RunCard.svelte'

const whole = (change: Partial<Snapshot>): Snapshot =>
  ({ folders: [], devices: [], offers: [], problems: [], pairing: { nearby: [], runs: [], requests: [] }, ...change }) as unknown as Snapshot

beforeEach(() => speech.choose('en'))
afterEach(() => {
  speech.choose('en')
  vi.restoreAllMocks()
})

const offer = (change: Partial<Offer> = {}): Offer => ({
  device: 'B', name: "Ben's laptop", address: '', folder: 'p', label: 'Photos', time: '', connected: true, paused: false, refused: false, joined: false,
  counted: true, files: 12_000, bytes: 40e9, path: '/home/anna/Photos', free: 212e9, ...change,
})
const given = (o: Offer): Snapshot => whole({ devices: [device(0)], offers: [o] })

const places: [string, (d: Peer) => Element | null][] = [
  ['its row', (d) => render(Overview, { snapshot: whole({ devices: [d] }) }).container.querySelector('a[href="#/device/B"]')],
  ['its page', () => render(Device, { id: 'B' }).container],
  ['the card that says that it is connected', (d) => {
    const run = { id: 'r', method: 'number', began: true, invitation: '', state: 'connected', device: d.id, name: d.name, same_name: false, digits: '', choices: [], since: '' }
    return render(RunCard, { run: run as unknown as Run, dismiss: () => undefined }).container
  }],
]

describe.each(places)('how a device is connected is said in %s:', (_, show) => {
  it.each<[Peer['reach'], 'en' | 'de', string]>([
    [{ over: 'wifi', direct: true }, 'en', 'Wi-Fi, direct'],
    [{ over: 'wifi', direct: true }, 'de', 'WLAN, direkt'],
    [{ over: 'cable', direct: true }, 'en', 'Cable, direct'],
    [{ over: 'cable', direct: true }, 'de', 'Kabel, direkt'],
    [{ over: 'wifi', direct: false }, 'en', 'Wi-Fi, through a router'],
    [{ over: 'cable', direct: false }, 'de', 'Kabel, über einen Router'],
    [{ direct: true }, 'en', 'Direct'],
  ])('%j, %s', (reach, language, text) => {
    speech.choose(language)
    const d = device(0, { reach })
    store.snapshot = whole({ devices: [d] })
    expect(show(d)?.textContent).toContain(text)
  })
  it('but not where it is not certain', () => {
    const d = device(0, { reach: { direct: false } })
    store.snapshot = whole({ devices: [d] })
    expect(show(d)?.textContent).not.toMatch(/Wi-Fi|Cable|Direct|router/i)
  })
})

it('of a device that is away it is not said how it was connected', () => {
  store.snapshot = whole({ devices: [device(0, { connected: false, reach: { over: 'wifi', direct: true } })] })
  expect(render(Device, { id: 'B' }).container.textContent).not.toContain('Wi-Fi')
})

describe('a folder that is offered', () => {
  it('tells from whom, what, how big, where to and how much is free, with three answers', () => {
    const { container } = render(Overview, { snapshot: given(offer()) })
    const card = container.querySelector('.offers li')
    const text = bare(card?.textContent ?? '')
    for (const part of ["Ben's laptop offers the folder Photos", '12,000 files, 40 GB', 'Goes to /home/anna/Photos, 212 GB free there']) expect(text).toContain(part)
    expect([...(card?.querySelectorAll('a, button') ?? [])].map((e) => e.textContent)).toEqual(['Not now', 'Choose a place', 'Accept'])
  })
  it('is accepted where it is said to go', async () => {
    const accept = vi.spyOn(api, 'acceptFolder').mockResolvedValue({} as never)
    const go = vi.spyOn(router, 'go').mockReturnValue()
    render(Overview, { snapshot: given(offer()) })
    await fireEvent.click(screen.getByRole('button', { name: 'Accept' }))
    expect(accept.mock.calls).toEqual([['p', { devices: ['B'], path: '/home/anna/Photos' }]])
    expect(go.mock.calls).toEqual([['#/folder/p']])
  })
  it('is looked at first where something stands there', async () => {
    vi.spyOn(api, 'acceptFolder').mockRejectedValue(new Refused(409, 'it holds files', 'place-not-empty'))
    const go = vi.spyOn(router, 'go').mockReturnValue()
    render(Overview, { snapshot: given(offer()) })
    await fireEvent.click(screen.getByRole('button', { name: 'Accept' }))
    await vi.waitFor(() => expect(go.mock.calls).toEqual([['#/offer/p/B']]))
  })
  it('is not accepted where it has no room', () => {
    render(Overview, { snapshot: given(offer({ free: 1e9 })) })
    expect(screen.queryByRole('button', { name: 'Accept' })).toBeNull()
  })
  it('that is put aside stays under what needs one, where it can be declined', async () => {
    const snapshot = given(offer({ folder: 'aside' }))
    const { container } = render(Overview, { snapshot })
    await fireEvent.click(screen.getByRole('button', { name: 'Not now' }))
    expect(container.querySelector('.offers')).toBeNull()
    const needs = render(Needs, { snapshot }).container
    expect([...needs.querySelectorAll('.offer a, .offer button')].map((e) => e.textContent)).toEqual(['Decline', 'Choose a place', 'Accept'])
  })
})
