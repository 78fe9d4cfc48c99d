import { describe, expect, it, vi } from 'vitest'
import { api, type Problem, type Snapshot } from '../backend/api'
import { needs } from './needs'

const snapshot = (problems: Problem[]): Snapshot => ({ problems, folders: [], devices: [], offers: [] }) as unknown as Snapshot

describe('what needs a person', () => {
  it('is what asks or has stopped, the stopped first, and nothing that goes away by itself', () => {
    const list = needs(snapshot([{ code: 'key-exposed', severity: 'ask', text: '' }, { code: 'port-taken', severity: 'wait', text: '' }, { code: 'home-full', severity: 'stop', text: '' }]))
    expect(list.map((n) => n.problem.code)).toEqual(['home-full', 'key-exposed'])
  })
  it('can be answered: a network is trusted or not', async () => {
    const trust = vi.spyOn(api, 'trustNetwork').mockResolvedValue(undefined as never)
    const [need] = needs(snapshot([{ code: 'network-untrusted', severity: 'ask', text: '', param: { network: 'Home', id: 'n1' } }]))
    for (const { act } of need?.buttons ?? []) if ('run' in act) await act.run()
    expect(trust.mock.calls).toEqual([['n1', true], ['n1', false]])
  })
  it('can be answered: a device that was removed elsewhere is removed on its page, or kept', async () => {
    const change = vi.spyOn(api, 'changeDevice').mockResolvedValue(undefined as never)
    const s = snapshot([])
    s.devices = [{ id: 'D1', name: 'attic', problems: [{ code: 'removed-elsewhere', severity: 'ask', text: '' }] }] as unknown as Snapshot['devices']
    const [remove, keep] = needs(s)[0]?.buttons ?? []
    expect(remove?.act).toHaveProperty('href')
    if (keep && 'run' in keep.act) await keep.act.run()
    expect(change.mock.calls).toEqual([['D1', { paused: false }]])
  })
})
