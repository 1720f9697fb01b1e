/**
 * ESLint rule: an `eslint-disable` comment gives its reason behind ` -- `.
 * @type {import('eslint').Rule.RuleModule}
 */
export default {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { unexplained: 'Say why the rule is off: // eslint-disable-next-line RULE -- REASON' },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const isDisable = /^\s*eslint-disable/.test(comment.value);
          if (isDisable && !/\s--\s+\S/.test(comment.value) && comment.loc) {
            context.report({ loc: comment.loc, messageId: 'unexplained' });
          }
        }
      },
    };
  },
};
