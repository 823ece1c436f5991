// What is said of the diagnostic bundle.
import type { bundle as english } from './bundle.en';

export const bundle: typeof english = {
  title: '诊断报告',
  hint: '以文本汇总支持人员所需的一切：版本、设置、通话、SIP 消息、日志。不含密码和令牌。请在交出之前先阅读。',
  shorten: '缩短电话号码',
  make: '生成',
  again: '重新生成',
  text: '报告',
  save: '保存',
  copy: '复制报告',
  saved: (path) => `已保存为 ${path}`,
  size: (lines) => `${lines} 行`,
};
