import { FrozenRows } from '../row-pages.js'
import type { FollowedDatabase } from './followed-database.js'
import { Replica } from './replica.js'

/** A consumer who has all rows of an epoch, and keeps where he is. */
export class RowConsumer {
  replica = new Replica()
  #epoch = 0
  #sequence = 0

  catchUp(followed: FollowedDatabase): void {
    const { log, follower } = followed
    if (log.epoch !== this.#epoch) {
      this.replica = new Replica()
      this.#epoch = log.epoch
      this.#sequence = log.transactions.length
      const rows = FrozenRows.of(follower, followed.shadow, [...log.tables.keys()])
      for (let page = rows?.next(); page !== undefined; page = rows?.next())
        this.replica.apply({ tables: [page.table], changes: page.rows })
      rows?.close()
    }
    for (const transaction of log.transactions.slice(this.#sequence)) this.replica.apply(transaction)
    this.#sequence = log.transactions.length
  }
}
