/**
 * How often a socket looks for a server that is not there, in milliseconds. Servers are on this machine, and what starts is
 * waited for: with waits that double up to a second, a gateway found a store 170 ms after it had begun to answer.
 */
export const RECONNECTION = { reconnectInterval: 10, reconnectMaxInterval: 40 } as const
