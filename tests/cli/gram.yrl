Nonterminals e.
Terminals int '+'.
Rootsymbol e.
Left 100 '+'.
e -> e '+' e : '$1' + '$3'.
e -> int : element(3, '$1').
