import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import {
  type EndpointsFile,
  MAX_SOCKET_PATH_BYTES,
  readEndpointsFile,
  removeEndpointsFile,
  SOCKET_NAMES,
  socketEndpoint,
  socketEndpoints,
  writeEndpointsFile,
} from './endpoints.js'
import { testSockets } from './testing/sockets.js'

const sockets = testSockets()

describe('addresses of sockets', () => {
  it('are paths in the runtime directory, one for each name', () => {
    const endpoints = socketEndpoints('/run/user/1/hotpath/abc')
    expect(endpoints.gateway).toBe('ipc:///run/user/1/hotpath/abc/gateway.sock')
    expect(new Set(Object.values(endpoints)).size).toBe(SOCKET_NAMES.length)
  })

  it('are refused where the path is too long for a socket, and bound where it is just short enough', async () => {
    const base = sockets.directory()
    const name = '/gateway.sock'
    const fill = (length: number) => join(base, 'x'.repeat(length - base.length - 1 - name.length))
    expect(() => socketEndpoint(fill(MAX_SOCKET_PATH_BYTES + 1), 'gateway')).toThrow('at most 107 bytes')
    const longest = fill(MAX_SOCKET_PATH_BYTES)
    mkdirSync(longest)
    const server = await sockets.server({ endpoint: socketEndpoint(longest, 'gateway'), onMessage: () => undefined })
    await sockets.peer({ endpoint: server.endpoint }).ready()
    expect(statSync(join(longest, 'gateway.sock')).mode & 0o777).toBe(0o600)
    await server.stop()
    expect(readdirSync(longest)).toEqual([])
  })

  it('must be absolute', () => {
    expect(() => socketEndpoint('run', 'gateway')).toThrow(InvalidInputError)
  })
})

describe('endpoints.json', () => {
  const content: EndpointsFile = {
    version: 1,
    pid: process.pid,
    sockets: { gateway: 'ipc:///run/x/gateway.sock', 'store-query': 'tcp://127.0.0.1:5000' },
    http: 'http://127.0.0.1:7717',
  }

  it('is read as it was written, by its owner alone', () => {
    const data = join(sockets.directory(), 'data')
    writeEndpointsFile(data, content)
    expect(readEndpointsFile(data)).toEqual(content)
    expect(statSync(join(data, 'endpoints.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(data)).toEqual(['endpoints.json'])
  })

  it('is removed by who wrote it alone', () => {
    const data = sockets.directory()
    removeEndpointsFile(data, 1)
    writeEndpointsFile(data, content)
    removeEndpointsFile(data, process.pid + 1)
    expect(readEndpointsFile(data).pid).toBe(process.pid)
    removeEndpointsFile(data, process.pid)
    expect(() => readEndpointsFile(data)).toThrow(UnavailableError)
  })

  const bad: [string, string][] = [
    ['no JSON', '{'],
    ['an array', '[]'],
    ['another version', JSON.stringify({ ...content, version: 2 })],
    ['no pid', JSON.stringify({ ...content, pid: 'x' })],
    ['no sockets', JSON.stringify({ ...content, sockets: null })],
    ['an abstract name', JSON.stringify({ ...content, sockets: { gateway: 'ipc://@hotpath' } })],
    ['another host', JSON.stringify({ ...content, sockets: { gateway: 'tcp://10.0.0.1:5000' } })],
    ['a URL that is none', JSON.stringify({ ...content, http: 7 })],
  ]
  for (const [name, text] of bad) {
    it(`is refused with ${name}`, () => {
      const data = sockets.directory()
      writeFileSync(join(data, 'endpoints.json'), text)
      expect(() => readEndpointsFile(data)).toThrow(InvalidInputError)
    })
  }
})
