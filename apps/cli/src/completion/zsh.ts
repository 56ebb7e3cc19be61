import type { DescribedCommand, DescribedOption, ValueKind } from '../described-command.js'
import { quoted } from './shell-words.js'

/** Completion for zsh; a file of `fpath`, or to be sourced. */
export function zshCompletion(program: DescribedCommand): string {
  return `#compdef hotpath
# zsh completion of hotpath. Put it into a directory of fpath:
#   hotpath completion zsh > ~/.zfunc/_hotpath
# or, after compinit, into ~/.zshrc:
#   source <(hotpath completion zsh)
${functions('_hotpath', program).join('\n')}
if [[ $funcstack[1] == _hotpath ]]; then _hotpath "$@"; else compdef _hotpath hotpath; fi
`
}

/** A function for a command, and those for the commands below it. */
function functions(name: string, { commands, options, arguments: args }: DescribedCommand): string[] {
  if (commands.length === 0) {
    const positions = args.map(({ name: label, value, isRepeated }, i) =>
      quoted(`${isRepeated ? '*' : i + 1}:${escaped(label)}:${actionOf(value)}`),
    )
    return [`${name}() { _arguments -s -S : ${[...options.flatMap(optionSpecs), ...positions].join(' ')} }`]
  }
  const cases = commands.map(command => `    ${command.name}) ${name}_${command.name.replaceAll('-', '_')} ;;`)
  const described = commands.map(command => quoted(`${escaped(command.name)}:${escaped(command.description)}`))
  return [
    ...commands.flatMap(command => functions(`${name}_${command.name.replaceAll('-', '_')}`, command)),
    `${name}() {
  if (( CURRENT == 2 )); then
    local -a commands=(${described.join(' ')})
    _describe -t commands command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}`,
  ]
}

function optionSpecs({ long, short, valueName, value, description }: DescribedOption): string[] {
  const rest = `[${escaped(description)}]`
  const action = value === undefined ? '' : `:${escaped(valueName!)}:${actionOf(value)}`
  const equals = value === undefined ? '' : '='
  const both = short === undefined ? '' : `(${short} ${long})`
  return [
    ...(short === undefined ? [] : [quoted(`${both}${short}${value === undefined ? '' : '+'}${rest}${action}`)]),
    // Many flags may be repeated; which ones is not a shell's business.
    quoted(`${both === '' ? '*' : both}${long}${equals}${rest}${action}`),
  ]
}

function actionOf(value: ValueKind): string {
  if (value === 'directory') return '_files -/'
  if (value === 'file') return '_files'
  return value === 'text' ? ' ' : `(${value.join(' ')})`
}

/** Specifications are cut at colons and brackets. */
function escaped(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&')
}
