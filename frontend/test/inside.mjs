// A network of its own for a test file, so that nothing is heard or said
// outside: one of two hosts that a cable connects. The other one is empty, is
// the router, and may be a phone. What is sent past this network is counted.
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import dgram from 'node:dgram'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const here = '10.77.0.1'
export const there = '10.77.0.2'

const network = `set -e
ip link set lo up
ip link add lan0 type veth peer name lan1
ip addr add ${here}/24 brd 10.77.0.255 dev lan0
unshare --net sleep infinity & export LANYARD_THERE=$!
while ip link show lan1 >/dev/null 2>&1; do ip link set lan1 netns $LANYARD_THERE; done
there() { nsenter --target $LANYARD_THERE --net "$@"; }
there ip link set lo up
there ip addr add ${there}/24 brd 10.77.0.255 dev lan1
there ip link set lan1 up
ip link set lan0 up
ip route add 224.0.0.0/4 dev lan0
ip route add default via ${there}
nft -f - <<END
table inet watch {
  counter past { }
  chain out {
    type filter hook output priority 0;
    ip daddr != { 127.0.0.0/8, 10.77.0.0/24, 224.0.0.0/24, 255.255.255.255 } counter name past
    ip6 daddr != { ::1, fe80::/10, ff01::/16, ff02::/16, ff12::/16 } counter name past
  }
}
END
exec "$@"`

/**
 * Whether this file runs in a network of its own already. If not, it is run once
 * more in one, as a single test that tells what the tests in it said.
 */
export function inside(url, name) {
  if (process.env.LANYARD_INSIDE !== undefined) return true
  test(name, () => {
    const done = enter(['--test', '--test-reporter=spec', fileURLToPath(url)], { encoding: 'utf8' })
    process.stdout.write(done.stdout)
    assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`)
  })
  return false
}

/** Runs Node in a network of its own, with all that it starts, and gives how it ended. */
export function enter(args, options) {
  const own = process.getuid() === 0 ? [] : ['--user', '--map-root-user']
  const env = { ...process.env, LANYARD_INSIDE: '1' }
  delete env.NODE_TEST_CONTEXT // the tests inside report for themselves
  return spawnSync('unshare', [...own, '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', '-c', network, 'bash', process.execPath, ...args],
    { env, timeout: 900_000, ...options })
}

/** How many packets were sent past this network. */
export async function past() {
  const { stdout } = await run('nft', ['list', 'counter', 'inet', 'watch', 'past'])
  return Number(/packets (\d+)/.exec(stdout)[1])
}

/** Sends one packet past this network, to see that it is counted. */
export async function leave() {
  const socket = dgram.createSocket('udp4')
  await new Promise((done, failed) => socket.send('x', 9, '192.0.2.1', (e) => (e ? failed(e) : done())))
  socket.close()
}

/** Starts a program on the other host. */
export function startThere(argv, options) {
  return spawn('nsenter', ['--target', process.env.LANYARD_THERE, '--net', ...argv], options)
}

/** Lets programs at these ports of this host say to each other so many megabits a second, until the function that it gives is called. */
export async function slow(ports, megabits) {
  const tc = (line) => run('tc', line.split(' '))
  await tc('qdisc add dev lo root handle 1: htb default 1')
  await tc('class add dev lo parent 1: classid 1:1 htb rate 10gbit quantum 200000')
  await tc(`class add dev lo parent 1: classid 1:2 htb rate ${megabits}mbit burst 256k quantum 60000`)
  // What waits in the cable is no more than a home's router keeps.
  await tc(`qdisc add dev lo parent 1:2 handle 12: bfifo limit 600000`)
  for (const port of ports) {
    for (const side of ['sport', 'dport']) {
      await tc(`filter add dev lo parent 1: protocol ip prio 1 u32 match ip ${side} ${port} 0xffff flowid 1:2`)
      await tc(`filter add dev lo parent 1: protocol ipv6 prio 2 u32 match ip6 ${side} ${port} 0xffff flowid 1:2`)
    }
  }
  return () => tc('qdisc del dev lo root')
}
