// What the page says instead, in English: as instead.texts.zh.ts.
import type { Instead } from './instead.texts.zh'

const physician = {
  title: 'Physician check',
  where: '{institution}',
  recorded: 'Picture and sound are recorded, and your face is compared with your enrolled photo, and with the other physicians of the same surprise check. Text that you send is kept, too.',
  keptResult: 'The face data used for comparing are deleted a day after the deadline. The result and one photo of your face stay in the inspection’s records.',
  steps: 'It takes about a minute: hold the phone yourself, look at the camera, and turn your head, shut your eyes or open your mouth when asked.',
  position: 'My device may tell its position. It is judged whether it is inside the institution, and at most a rough distance is kept. You can go on without it, but then nothing shows that you are here.',
  noToken: 'The link is not complete. Scan the QR code, or open the whole link.',
  insecure: 'This address is not secure (https), so the browser does not allow the camera. Use the https link that you were sent.',
  thanks: 'That is all, thank you.',
  thanksText: 'You can close this page. The institution’s list of shifts has the result.',
  refusedText: 'You can close this page. Ask the inspector if you have questions.',
  cutText: 'Please tell the inspector, who decides whether to send a new link.',
}

export const en: Instead = {
  duty: {
    ...physician,
    ask: '{who} asks you to show by video who you are before your shift begins.',
    position: 'My device may tell its position. It is judged whether it is inside the institution, and at most a rough distance is kept. A shift takes a position: you can go on without it, but no shift will begin.',
  },
  duty_check: { ...physician, ask: '{who} asks you to show by video, now, that you are on duty (a surprise check).' },
  enrolment: {
    title: 'Enrolment at the bedside',
    ask: '{who} asks the patient to enrol the face by video, so that it can be compared later.',
    recorded: 'Picture and sound are recorded. After the live check the face data and one photo of this video become your enrolment; an earlier one is compared with it. Text that you send is kept, too.',
    keptResult: 'The enrolled face data are kept until a new enrolment takes their place. The result and one photo of your face stay in the enrolment’s records.',
    thanks: 'That is all, thank you.',
  },
  treatment: { title: 'Check at a treatment', where: '{institution}', ask: '{who} asks the patient to show by video that the treatment is going on.', steps: 'It takes about a minute: look at the camera and turn your head when asked. A nurse may hold the phone.', thanks: 'That is all, thank you.' },
}
