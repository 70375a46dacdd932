import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { Refusal, whenSignedOut } from './api/client'
import { App } from './app/App'
import { takeOneTime } from './signin/oneTime'
import { begin } from './i18n'
import './app/app.css'

const client = new QueryClient({
  defaultOptions: {
    queries: { retry: (n, err) => !(err instanceof Refusal) && n < 2, staleTime: 5_000, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
})
whenSignedOut(() => client.setQueryData(['me'], null))

async function start() {
  const root = document.getElementById('root')
  if (!root) return
  const oneTime = takeOneTime()
  await begin()
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <BrowserRouter>
          <App oneTime={oneTime} />
        </BrowserRouter>
      </QueryClientProvider>
    </StrictMode>,
  )
}

void start()
