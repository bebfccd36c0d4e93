%% Small functions that stand in the place of calls of them: what they do, what traces tell of them, and what happens when they are left.
-module(t_inline).
-export([cases/0]).

id(X) -> X.

%% Leaves: no frame, no call.
half(X) -> X div 2.
second({_, B}) -> B.
sum(X, Y) -> X + Y.
either(X) when is_atom(X) -> {atom, X};
either(X) when X > 10 -> X - 10;
either(X) -> [X].
pair(X) -> {X, X}.

leaves(X, Y) -> A = sum(X, Y), B = half(A), C = pair(B), {A, B, second(C), either(B)}.

%% With a frame, calling others, and one inside the other.
framed(X) -> A = id(X), B = id(A + 1), {A, B}.
outer(X) -> {A, B} = framed(X), {B, A, framed(B)}.
deeper(X) -> Y = outer(X), [Y | inner(X)].
inner(X) -> [outer(X), framed(X)].

%% As the last thing, and what these call as the last thing.
last(X) -> last_too(X, 1).
last_too(X, N) -> last_of_all(X, N, 2).
last_of_all(X, N, M) -> {X, N, M}.
between(X) -> {last(X), last(X + 1)}.

%% Functions that call each other as the last thing.
ping(0, A) -> A;
ping(N, A) -> pong(N - 1, A + 1).
pong(0, A) -> {pong, A};
pong(N, A) -> ping(N - 1, A * 3 rem 1000003).

even(0) -> true;
even(N) -> odd(N - 1).
odd(0) -> false;
odd(N) -> even(N - 1).

%% Lists built by a function whose elements come from small ones.
built([H | T]) -> [either(H), half(sum(H, 3)) | built(T)];
built([]) -> [].
built_framed([H | T]) -> [framed(H) | built_framed(T)];
built_framed([]) -> [].

%% Tail recursion around small functions.
total([H | T], A) -> total(T, sum(A, second(H)));
total([], A) -> A.

%% What goes wrong, seen by those who catch it.
wrong_leaf(X) -> R = sum(X, 1), {R, id(R)}.
wrong_last(X) -> sum(X, 1).
wrong_framed(X) -> R = framed(X), {R}.
wrong_clause(X) -> R = second(X), {R}.
wrong_deeper(X) -> R = deeper(X), {R}.
wrong_in_list([H | T]) -> [sum(H, 1) | wrong_in_list(T)];
wrong_in_list([]) -> [].
wrong_call(F) -> R = through(F), {R}.
through(F) -> R = F(), [R].
through_last(F) -> F().
wrong_call_last(F) -> R = through_last(F), {R}.
raises(X) -> error({raised, X}).
wrong_raise(X) -> R = raises(X), {R}.

trace(F) ->
    try F() of V -> V
    catch C:R:S -> {C, R, [{Fn, if is_list(A) -> A; true -> {arity, A} end, proplists:get_value(line, L)} || {M, Fn, A, L} <- S, M =:= ?MODULE]}
    end.

%% A handler in the function in which they stand.
guarded(X) ->
    A = try sum(X, 1) catch error:badarith -> none end,
    B = try framed(X) catch error:_ -> none end,
    C = catch second(X),
    {A, B, case C of {'EXIT', {Why, _}} -> Why; V -> V end}.

%% What waits inside.
wait_for(P) -> receive {P, V} -> V end.
asks(P, Q) -> P ! {self(), Q}, V = wait_for(P), W = wait_for(P), {V, W}.
answers() -> receive {P, Q} -> P ! {self(), Q}, P ! {self(), [Q]}, answers(); stop -> ok end.

where(P) ->
    case process_info(P, [status, current_stacktrace]) of
        [{status, waiting}, {current_stacktrace, S}] -> [{F, A, proplists:get_value(line, L)} || {?MODULE, F, A, L} <- S];
        _ -> erlang:yield(), where(P)
    end.

%% Collections inside.
fresh(N) -> L = lists:seq(1, N), {length(L), L}.
fills(0, A) -> A;
fills(N, A) -> {K, L} = fresh(N rem 50), fills(N - 1, [{K, hd([0 | L])} | lists:sublist(A, 20)]).

%% Memory that is made in leaves.
boxed(X) -> {[X | X], {X}, X * 1.5}.
many_boxed(0, A) -> A;
many_boxed(N, A) -> B = boxed(N), many_boxed(N - 1, [B | lists:sublist(A, 5)]).

%% Too much at once for small integers.
grows(0, A) -> A;
grows(N, A) -> grows(N - 1, sum(A, A)).

%% Not endless for others.
spins(N) when N > 0 -> spins_too(N);
spins(_) -> done.
spins_too(N) -> spins(N).

%% Functions that call themselves, in one place and in several, and as the last thing besides.
fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).
tak(X, Y, Z) when Y >= X -> Z;
tak(X, Y, Z) -> tak(tak(X - 1, Y, Z), tak(Y - 1, Z, X), tak(Z - 1, X, Y)).
ack(0, N) -> N + 1;
ack(M, 0) -> ack(M - 1, 1);
ack(M, N) -> ack(M - 1, ack(M, N - 1)).
deep(0, F) -> F();
deep(N, F) -> 1 + deep(N - 1, F).
turns(0, F) -> F();
turns(N, F) when N rem 3 =:= 0 -> {a, turns(N - 1, F)};
turns(N, F) -> [turns(N - 1, F) || true].
tree(0) -> leaf;
tree(N) -> {tree(N - 1), N, tree(N - 1)}.
sums(leaf) -> 0;
sums({L, N, R}) -> sums(L) + N + sums(R).
swap({L, N, R}) -> {swap(R), N, swap(L)};
swap(Other) -> Other.
caught(0, F) -> F();
caught(N, F) -> case catch caught(N - 1, F) of {'EXIT', _} -> N; V -> [V] end.
stacks(0, P) -> P ! {self(), at_the_end}, receive go_on -> 0 end;
stacks(N, P) -> 1 + stacks(N - 1, P).

cases() ->
    Odd = [0, 1, -1, 25, 1 bsl 59, 1 bsl 70, 2.5],
    Wrong = [a, [], {}, {1, b}, 1 bsl 60, <<1>>],
    [{leaves, fun() -> [leaves(X, Y) || X <- [0, 7, 40, 1 bsl 62], Y <- [1, -3, 1 bsl 59]] end},
     {framed, fun() -> [{outer(X), deeper(X), inner(X)} || X <- Odd] end},
     {last, fun() -> [{last(X), between(X)} || X <- Odd] end},
     {loops, fun() -> [{ping(N, 1), even(N), odd(N)} || N <- [0, 1, 2, 9999, 100000]] end},
     {built, fun() -> [{length(L), erlang:md5(term_to_binary({built(L), built_framed(L)}))} || N <- [0, 1, 2, 3000, 20000], L <- [lists:seq(1, N)]] end},
     {total, fun() -> total([{N, N * N} || N <- lists:seq(1, 5000)], 0) end},
     {wrong_leaf, fun() -> [trace(fun() -> wrong_leaf(X) end) || X <- Wrong] end},
     {wrong_last, fun() -> [trace(fun() -> wrong_last(X) end) || X <- Wrong] end},
     {wrong_framed, fun() -> [trace(fun() -> wrong_framed(X) end) || X <- Wrong] end},
     {wrong_clause, fun() -> [trace(fun() -> wrong_clause(X) end) || X <- Wrong] end},
     {wrong_deeper, fun() -> [trace(fun() -> wrong_deeper(X) end) || X <- Wrong] end},
     {wrong_in_list, fun() -> [trace(fun() -> wrong_in_list([1, 2, X, 3]) end) || X <- Wrong] end},
     {wrong_call, fun() -> [{trace(fun() -> wrong_call(F) end), trace(fun() -> wrong_call_last(F) end)} || F <- [fun() -> ok end, fun() -> error(x) end, fun() -> throw(y) end, fun(_) -> ok end, 7]] end},
     {wrong_raise, fun() -> [trace(fun() -> wrong_raise(X) end) || X <- Wrong] end},
     {guarded, fun() -> [guarded(X) || X <- Odd ++ Wrong] end},
     {many_times, heavy, fun() -> lists:usort([erlang:phash2([trace(fun() -> wrong_framed(X) end), trace(fun() -> wrong_deeper(X) end), guarded(X), leaves(3, 4)]) || _ <- lists:seq(1, 3000), X <- [a, 5]]) end},
     {waits, fun() -> P = spawn_link(fun answers/0), Me = self(), Q = spawn_link(fun() -> Me ! {done, [asks(P, N) || N <- lists:seq(1, 500)]} end), R = receive {done, X} -> X end, P ! stop, {length(R), lists:last(R), is_process_alive(Q)} end},
     {waits_where, fun() -> Me = self(), P = spawn_link(fun() -> V = asks(Me, 1), Me ! {got, V} end), receive {P, 1} -> ok end, W = where(P), P ! {Me, a}, P ! {Me, b}, {W, receive {got, V} -> V end} end},
     {collects, heavy, fun() -> erlang:phash2(fills(20000, [])) end},
     {itself, fun() -> {[fib(N) || N <- lists:seq(0, 20)], [tak(X, 7, 2) || X <- [0, 7, 8, 14]], [ack(M, N) || M <- [0, 1, 2], N <- [0, 1, 5, 60]], [sums(tree(N)) || N <- lists:seq(0, 11)], sums(swap(tree(12))), swap(tree(3))} end},
     {itself_wrong, fun() -> [{trace(fun() -> deep(N, F) end), trace(fun() -> turns(N, F) end)} || N <- [0, 1, 2, 3, 4, 5, 6, 7, 12, 501], F <- [fun() -> a + id(N) end, fun() -> {} end, fun(X) -> X end, fun() -> throw(x) end]] end},
     {itself_clause, fun() -> [{trace(fun() -> sums(X) end), trace(fun() -> fib(X) end), trace(fun() -> tak(5, X, 2) end)} || X <- [a, {leaf, 1, {leaf, b, leaf}}, {{leaf, 1, x}, 2, leaf}, {leaf, 1, {leaf, 1, {leaf, 1, y}}}]] end},
     {itself_caught, fun() -> [caught(N, F) || N <- [0, 1, 2, 3, 9], F <- [fun() -> ok end, fun() -> error(x) end, fun() -> throw(y) end], N > 0] end},
     {itself_where, fun() -> Me = self(), [begin P = spawn_link(fun() -> Me ! {got, stacks(N, Me)} end), receive {P, at_the_end} -> ok end, W = where(P), garbage_collect(P), P ! go_on, {W, receive {got, V} -> V end} end || N <- [0, 1, 2, 3, 30, 31]] end},
     {itself_deep, heavy, fun() -> {deep(300000, fun() -> 0 end), lists:sum([deep(N, fun() -> N end) || N <- lists:seq(1, 300)])} end},
     {boxed, heavy, fun() -> many_boxed(30000, []) end},
     {grows, fun() -> [grows(N, 3) || N <- [0, 10, 58, 60, 200]] end},
     {spins, fun() -> P = spawn(fun() -> spins(1) end), R = [begin erlang:yield(), is_process_alive(P) end || _ <- lists:seq(1, 50)], exit(P, kill), {lists:usort(R), spins(0)} end}].
