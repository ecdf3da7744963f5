// Where in the page a person is: #/ the live board, #/calls the list, #/calls/12 the story of one,
// #/config the configurations, #/config/3 what differs in one.
export interface Route {
  page: 'live' | 'calls' | 'config'
  no: number
}

function read(): Route {
  const [, page, no] = location.hash.split('/')
  return { page: page === 'calls' || page === 'config' ? page : 'live', no: Number(no) || 0 }
}

class Router {
  at = $state.raw<Route>(read())

  start(): () => void {
    const move = () => (this.at = read())
    addEventListener('hashchange', move)
    return () => removeEventListener('hashchange', move)
  }
}

export const router = new Router()
