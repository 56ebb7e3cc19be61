import { describe, expect, it } from 'vitest'
import { joinRequests } from './list-requests.js'
import type { ListRequest } from './store-types.js'

describe('requests of several views', () => {
  it('name each node once, by its first path', () => {
    const request = (low: number, path: string): ListRequest => ({
      ref: { low, high: 0, birth: 7 },
      path: Buffer.from(path),
    })
    const requests: ListRequest[] = []
    joinRequests(requests, [request(1, '/a'), request(2, '/b')])
    joinRequests(requests, [request(2, '/moved'), request(3, '/c'), request(3, '/c')])
    expect(requests.map(({ path }) => path.toString())).toEqual(['/a', '/b', '/c'])
  })
})
