/** Flags that only the start has: the stages do not need to know. */
export const START_FLAGS = {
  user: {
    type: 'string',
    valueName: 'NAME[:GROUP]',
    help: 'started by root: run as this user; only the marks of file systems keep a privilege (docs/operating.md)',
  },
  'keep-capabilities': {
    type: 'boolean',
    help: 'give the ambient capabilities that this process has to all stages; else only it keeps them',
  },
} as const
