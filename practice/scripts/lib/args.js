// Parses a command line of `--name value` and `--flag` words. It never guesses: an unknown word is an error.
'use strict';

/** `spec` names each option: 'value' takes the next word, 'flag' takes none. Positional words are allowed on request. */
function parse(argv, spec, { positional = false } = {}) {
  const options = { _: [] };
  for (let index = 0; index < argv.length; index += 1) {
    const [word, inline] = splitWord(argv[index]);
    if (!word.startsWith('--') && positional) options._.push(word);
    else if (spec[word.slice(2)] === 'flag') options[word.slice(2)] = true;
    else if (spec[word.slice(2)] === 'value') {
      const value = inline ?? argv[(index += 1)];
      if (value === undefined) throw new Error(`${word} needs a value`);
      options[word.slice(2)] = value;
    } else throw new Error(`unrecognized argument ${word}; known: ${Object.keys(spec).map((name) => `--${name}`).join(' ')}`);
  }
  return options;
}

function splitWord(word) {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  return equals < 0 ? [word] : [word.slice(0, equals), word.slice(equals + 1)];
}

module.exports = { parse };
