import { useTranslation } from 'react-i18next'
import { Head } from '../parts/Head'
import { AccessCard } from './AccessCard'
import { LedgerCard } from './LedgerCard'
import { StorageCard } from './StorageCard'

/** System is how the service itself is. */
export default function System() {
  const { t } = useTranslation()
  return (
    <>
      <Head title={t('screen.system')} />
      <StorageCard />
      <LedgerCard />
      <AccessCard />
    </>
  )
}
