import type { DescribedCommand, DescribedOption, ValueKind } from '../described-command.js'
import { allCommands, type PlacedCommand, quoted } from './shell-words.js'

/** Completion for bash 4 or newer, with or without the package bash-completion. */
export function bashCompletion(program: DescribedCommand): string {
  const commands = allCommands(program)
  return `# bash completion of hotpath. Put it where bash-completion looks:
#   hotpath completion bash > ~/.local/share/bash-completion/completions/hotpath
# or into ~/.bashrc:
#   source <(hotpath completion bash)
_hotpath_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -P "$prefix" -- "$cur"); }
_hotpath_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -P "$prefix" -- "$cur")
}
_hotpath() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} prefix='' command='' word i
  # \`--flag=value\` comes as three words where = separates words, and as one where it does not.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  elif [[ $cur == --*=* ]]; then
    prev=\${cur%%=*} prefix=\${cur%%=*}= cur=\${cur#*=}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && break
    case "$command $word" in
${commands
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quoted(` ${path}`)}) command=${quoted(path)} ;;`)
  .join('\n')}
      *) break ;;
    esac
  done
  COMPREPLY=()
  case "$command $prev" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$command" in
${commands.map(wordCase).join('\n')}
  esac
}
complete -F _hotpath hotpath
`
}

function valueCases({ path, command }: PlacedCommand): string[] {
  return command.options.flatMap(option => {
    if (option.value === undefined) return []
    const names = namesOf(option).map(name => quoted(`${path} ${name}`))
    return [`    ${names.join(' | ')}) ${completeValue(option.value)}; return ;;`]
  })
}

function wordCase({ path, command }: PlacedCommand): string {
  const flags = command.options.flatMap(namesOf).join(' ')
  const [first] = command.arguments
  const names = command.commands.map(({ name }) => name)
  const values = names.length > 0 ? names : (first?.value ?? 'text')
  return `    ${quoted(path)})
      if [[ $cur == -* ]]; then _hotpath_words ${quoted(flags)}; else ${completeValue(values)}; fi ;;`
}

function namesOf({ long, short }: DescribedOption): string[] {
  return short === undefined ? [long] : [short, long]
}

function completeValue(value: ValueKind): string {
  if (value === 'directory') return '_hotpath_paths -d'
  if (value === 'file') return '_hotpath_paths -f'
  return value === 'text' ? ':' : `_hotpath_words ${quoted(value.join(' '))}`
}
