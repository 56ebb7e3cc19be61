import { Errno, SystemCallError } from '@hotpath/platform'
import { describe, expect, it } from 'vitest'
import { limitReason } from './inotify-tree.js'

describe('limitReason', () => {
  it('names the sysctl that a person can raise', () => {
    const reason = (errno: number) => limitReason(new SystemCallError('inotify_add_watch', errno))
    expect(reason(Errno.ENOSPC)).toContain('sysctl fs.inotify.max_user_watches')
    expect(reason(Errno.EMFILE)).toContain('sysctl fs.inotify.max_user_instances')
    expect(reason(Errno.EACCES)).toContain('EACCES')
  })
})
