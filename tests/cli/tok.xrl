Definitions.
D = [0-9]
Rules.
{D}+ : {token, {int, TokenLine, list_to_integer(TokenChars)}}.
\+ : {token, {'+', TokenLine}}.
\s+ : skip_token.
Erlang code.
