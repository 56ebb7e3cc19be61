/** Connections of one user at once, and of all of them together. */
export const MAX_USER_CONNECTIONS = 16
export const MAX_CONNECTIONS = 256
/** Requests of one user that are answered at once; the engine has a few workers. */
export const MAX_USER_REQUESTS = 4
/** Requests of one user in a second, for long, and how many more may come in one go: whoever types asks ten times a second. */
export const REQUESTS_PER_SECOND = 50
export const REQUEST_BURST = 100

interface Account {
  connections: number
  requests: number
  /** Requests that may come now. */
  tokens: number
  /** When they were counted (ms). */
  countedMs: number
}

/** How much each user takes of the service. One that has nothing open and was quiet for a while is forgotten. */
export class UserLimits {
  private readonly accounts = new Map<number, Account>()
  private open = 0
  private refusals = 0

  constructor(private readonly now: () => number = () => performance.now()) {}

  get connections(): number {
    return this.open
  }

  /** Connections and requests that were too many. */
  get refused(): number {
    return this.refusals
  }

  /** False: too many are open. Each that was let in must leave. */
  enter(user: number): boolean {
    const account = this.account(user)
    if (this.open >= MAX_CONNECTIONS || account.connections >= MAX_USER_CONNECTIONS) {
      this.refusals++
      return false
    }
    this.open++
    account.connections++
    return true
  }

  leave(user: number): void {
    this.open--
    this.account(user).connections--
    this.forgetIdle()
  }

  /** False: too many run, or came in the last second. Each that begins must end. */
  begin(user: number): boolean {
    const account = this.account(user)
    if (account.requests >= MAX_USER_REQUESTS || account.tokens < 1) {
      this.refusals++
      return false
    }
    account.tokens--
    account.requests++
    return true
  }

  end(user: number): void {
    this.account(user).requests--
  }

  private account(user: number): Account {
    const now = this.now()
    let account = this.accounts.get(user)
    if (account === undefined) {
      account = { connections: 0, requests: 0, tokens: REQUEST_BURST, countedMs: now }
      this.accounts.set(user, account)
    }
    const gained = ((now - account.countedMs) / 1000) * REQUESTS_PER_SECOND
    account.tokens = Math.min(REQUEST_BURST, account.tokens + gained)
    account.countedMs = now
    return account
  }

  private forgetIdle(): void {
    for (const [user, { connections, requests }] of this.accounts) {
      if (connections === 0 && requests === 0 && this.account(user).tokens >= REQUEST_BURST) this.accounts.delete(user)
    }
  }
}
