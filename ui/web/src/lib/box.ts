// How the page asks the box. What goes wrong comes as a Refusal whose message a person can read.
import { prefs } from './prefs.svelte'
import type { Fault, Problem } from './types'

export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly cure = '',
    readonly faults: Fault[] = [],
  ) {
    super(message)
  }
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch('api/v1/' + path, {
      method,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw new Refusal(0, '')
  }
  if (answer.ok) return answer
  const problem = (await answer.json().catch(() => null)) as Problem | null
  const chinese = prefs.lang === 'zh-CN' && problem?.detail_zh
  throw new Refusal(answer.status, chinese || (problem?.detail ?? answer.statusText), chinese ? problem.cure_zh : problem?.cure, problem?.faults)
}

/** words is what a person can read of anything that went wrong; '' where the box did not answer. */
export function words(err: unknown): string {
  return err instanceof Refusal && err.message ? sentences(err.message, err.cure) : ''
}

/** sentences puts them behind one another, as their language does. */
export function sentences(...all: (string | undefined)[]): string {
  const said = all.filter(Boolean) as string[]
  return said.join(said.some((s) => /\p{Script=Han}/u.test(s)) ? '。' : '. ')
}

export async function get<T>(path: string): Promise<T> {
  return (await ask('GET', path)).json() as Promise<T>
}

/** post gives what the box answers, undefined where it says nothing. */
export async function post<T = void>(path: string, body?: unknown): Promise<T> {
  const text = await (await ask('POST', path, body)).text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** path makes a path of parts that may hold anything. */
export function path(...parts: (string | number)[]): string {
  return parts.map((p) => String(p).split('/').map(encodeURIComponent).join('/')).join('/')
}

export function query(values: Record<string, string | number | undefined>): string {
  const q = new URLSearchParams()
  for (const [key, value] of Object.entries(values)) if (value) q.set(key, String(value))
  const text = q.toString()
  return text && '?' + text
}
