// 关于呼叫转移的文字。
import type { forwarding as english } from './forwarding.en';

export const forwarding: typeof english = {
  title: '呼叫转移',
  lead: 'PBX 会对您的所有电话执行这些规则，即使此电话已关闭。',
  hours: '时段',
  office: '办公时间内',
  outside: '办公时间外',
  states: { available: '您可以接听', busy: '您正在通话', doNotDisturb: '请勿打扰', away: '您已离开', lunch: '您在用午餐', businessTrip: '您在出差', offline: '没有电话连接', noAnswer: '无人接听', noAnswerBusy: '通话中无人接听' },
  does: { ring: '振铃', voicemail: '转到语音信箱', number: '转到号码', hangUp: '拒接' },
  unset: '未设置',
  number: (when: string) => `“${when}”的转移号码`,
  numberLabel: '号码',
  after: '振铃时长',
  seconds: (n: number) => `${n} 秒`,
  unanswered: '如果无人接听',
  saving: '正在保存…',
};
