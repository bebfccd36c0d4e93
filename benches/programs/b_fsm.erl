%% pattern dispatch: a tokenizer as a state machine over a list.
%% repeat: 5
-module(b_fsm).
-export([run/0]).
run() -> L = lists:append(lists:duplicate(20000, "let x1 = (foo + 42) * bar; -- note\n")), T = scan(L, []), {length(T), erlang:phash2(lists:sublist(T, 50))}.
scan([], A) -> A;
scan([C | T], A) when C =:= $\s; C =:= $\n -> scan(T, A);
scan([C | T], A) when C >= $a, C =< $z -> word(T, [C], A);
scan([C | T], A) when C >= $0, C =< $9 -> num(T, C - $0, A);
scan("--" ++ T, A) -> comment(T, A);
scan([$( | T], A) -> scan(T, [open | A]);
scan([$) | T], A) -> scan(T, [close | A]);
scan([$= | T], A) -> scan(T, [eq | A]);
scan([$+ | T], A) -> scan(T, [plus | A]);
scan([$* | T], A) -> scan(T, [times | A]);
scan([$; | T], A) -> scan(T, [semi | A]).
word([C | T], W, A) when C >= $a, C =< $z; C >= $0, C =< $9 -> word(T, [C | W], A);
word(T, W, A) -> scan(T, [{word, lists:reverse(W)} | A]).
num([C | T], N, A) when C >= $0, C =< $9 -> num(T, N * 10 + C - $0, A);
num(T, N, A) -> scan(T, [{num, N} | A]).
comment([$\n | T], A) -> scan(T, A);
comment([_ | T], A) -> comment(T, A).
