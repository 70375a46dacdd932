import { PlusOutlined } from '@ant-design/icons'
import { Button, Drawer, Input, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMe } from '../api/queries'
import { Head } from '../parts/Head'
import { Nothing } from '../parts/Nothing'
import { List } from './List'
import { Person } from './Person'
import { PersonForm } from './PersonForm'

/** People lists the insured for those who administer them all, and looks one up by id for others. */
export default function People() {
  const { t } = useTranslation()
  const { me, may } = useMe()
  const [id, setID] = useState('')
  const [adding, setAdding] = useState(false)
  const all = may('administer') && me?.user.all_institutions === true
  return (
    <>
      <Head
        title={t('screen.people')}
        actions={(
          <Space wrap>
            <Input.Search allowClear placeholder={t('people.search')} aria-label={t('people.search')} style={{ width: 240 }} onSearch={(v) => setID(v.trim())} />
            {all && <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t('people.add')}</Button>}
          </Space>
        )}
      />
      {all ? <List onPick={setID} /> : id ? <div className="single"><Person key={id} id={id} /></div> : <Nothing text={t('people.searchHint')} />}
      <Drawer open={all && id !== ''} onClose={() => setID('')} title={t('people.person')} destroyOnHidden>{id && <Person key={id} id={id} />}</Drawer>
      <Drawer open={adding} onClose={() => setAdding(false)} title={t('people.add')} destroyOnHidden>
        <PersonForm
          onAdded={(added) => {
            setAdding(false)
            setID(added)
          }}
        />
      </Drawer>
    </>
  )
}
