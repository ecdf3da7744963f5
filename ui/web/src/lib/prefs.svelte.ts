// What a person chose for this browser: language and theme.
import { en, type Dictionary } from './en'
import { zh } from './zh'

export type Lang = 'en' | 'zh-CN'
export type Theme = 'auto' | 'light' | 'dark'

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // the browser keeps nothing
  }
}

function keep(key: string, value: string) {
  try {
    localStorage.setItem(key, value)
  } catch {
    // it holds until the tab is closed
  }
}

class Prefs {
  lang = $state<Lang>(firstLang())
  theme = $state<Theme>(firstTheme())

  setLang(lang: Lang) {
    this.lang = lang
    keep('lang', lang)
  }

  setTheme(theme: Theme) {
    this.theme = theme
    keep('theme', theme)
  }

  /** show puts what was chosen on the document; call it in an effect. */
  show(darkSystem: boolean) {
    document.documentElement.lang = this.lang
    document.documentElement.dataset.theme = this.theme === 'auto' ? (darkSystem ? 'dark' : 'light') : this.theme
  }
}

function firstLang(): Lang {
  const chosen = kept('lang')
  if (chosen === 'en' || chosen === 'zh-CN') return chosen
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

function firstTheme(): Theme {
  const chosen = kept('theme')
  return chosen === 'light' || chosen === 'dark' ? chosen : 'auto'
}

export const prefs = new Prefs()

/** t is the dictionary of the language that was chosen. */
export function t(): Dictionary {
  return prefs.lang === 'zh-CN' ? zh : en
}
