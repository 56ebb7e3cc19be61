import { ConfigError } from '@hotpath/service'
import { expect, test } from 'vitest'
import { parseStageUser, takeEnvironmentOf } from './stage-user.js'

const isRoot = process.getuid?.() === 0

test('the environment is that of the user, without the directories of who starts', () => {
  const environment = {
    PATH: '/bin',
    HOME: '/root',
    USER: 'root',
    XDG_RUNTIME_DIR: '/run/user/0',
    XDG_DATA_HOME: '/root/x',
  }
  const account = { name: 'somebody', uid: 4711, gid: 4711, home: '/home/somebody' }
  takeEnvironmentOf({ account, gid: 4711 }, environment)
  expect(environment).toEqual({ PATH: '/bin', HOME: '/home/somebody', USER: 'somebody', LOGNAME: 'somebody' })
})

test('a user is named by those who may become one, and root is none', () => {
  expect(() => parseStageUser('root')).toThrow(ConfigError)
  expect(() => parseStageUser('root')).toThrow(isRoot ? 'leave the flag out' : 'only root')
})
