%% releases: 25 27 29
%% Records that nobody else knows are overwritten by compilers from OTP 27 on.
-module(t_record_update).
-export([cases/0]).

-record(s, {a = 0, b = 1, c = 2, d = [], e = x, n = 0}).
-record(p, {left, right, sum = 0}).

cases() ->
    [{small_fields, fun small_fields/0},
     {boxed_fields, fun boxed_fields/0},
     {across_collections, fun across_collections/0},
     {twins, fun twins/0},
     {becomes_big, fun becomes_big/0},
     {floats, fun floats/0},
     {swapped, fun swapped/0},
     {kept_by_others, fun kept_by_others/0},
     {sent, fun sent/0},
     {in_a_table, fun in_a_table/0},
     {raised, fun raised/0},
     {nested, fun nested/0},
     {literal, fun literal/0},
     {given_back, fun given_back/0},
     {returned_by_others, fun returned_by_others/0}].

small_fields() -> small(5000, #s{}).

small(0, S) -> S;
small(N, #s{a = A, b = B} = S) when N band 1 =:= 0 ->
    small(N - 1, S#s{a = (A + N) band 16#ffff, n = B});
small(N, #s{b = B, c = C} = S) ->
    small(N - 1, S#s{b = (B bxor N) + 1, c = C + 1}).

boxed_fields() ->
    S = boxed(300, #s{}),
    {S#s.a, length(S#s.d), hd(S#s.d), S#s.e, S#s.n}.

boxed(0, S) -> S;
boxed(N, #s{d = D, n = K} = S) ->
    boxed(N - 1, S#s{d = [{N, K} | D], e = <<N:64>>, n = K + 1, a = [N | integer_to_list(N)]}).

across_collections() ->
    S = collecting(200, #s{}),
    {S#s.a, length(S#s.d), lists:sum([X || {X} <- S#s.d]), S#s.n}.

collecting(0, S) -> S;
collecting(N, #s{d = D, n = K} = S) ->
    _ = N rem 7 =:= 0 andalso erlang:garbage_collect(self(), [{type, minor}]),
    _ = N rem 31 =:= 0 andalso erlang:garbage_collect(),
    collecting(N - 1, S#s{d = [{N} | D], a = {K, N}, n = K + 1}).

%% Two that look the same are two.
twins() ->
    [pair(K, K + 1) || K <- [1, 2, 3]].

pair(X, Y) ->
    A = #s{a = X, b = Y},
    B = #s{a = X, b = Y},
    turns(20, A, B).

turns(0, A, B) -> {A, B};
turns(N, A, B) when N rem 3 =:= 0 -> turns(N - 1, A#s{c = N, d = [N]}, B);
turns(N, A, B) -> turns(N - 1, A, B#s{c = -N, e = {N}}).

becomes_big() ->
    S = doubling(130, #s{a = 1}),
    {S#s.a, S#s.b, S#s.n}.

doubling(0, S) -> S;
doubling(N, #s{a = A, b = B, n = K} = S) ->
    doubling(N - 1, S#s{a = A * 2, b = B + A, n = K + 1}).

floats() ->
    P = steps(1000, #p{left = 0.5, right = 1.5}),
    {P#p.left, P#p.right, P#p.sum}.

steps(0, P) -> P;
steps(N, #p{left = L, right = R, sum = S} = P) ->
    steps(N - 1, P#p{left = L * 0.999 + R * 0.001, right = R - L * 0.001, sum = S + L * R}).

swapped() ->
    P = swap(31, #p{left = {left}, right = [right]}),
    {P#p.left, P#p.right, P#p.sum}.

swap(0, P) -> P;
swap(N, #p{left = L, right = R, sum = S} = P) -> swap(N - 1, P#p{left = R, right = L, sum = S + N}).

%% All that were there stay what they were.
kept_by_others() -> kept(10, #s{}, []).

kept(0, S, All) -> {S, All};
kept(N, #s{n = K} = S, All) -> kept(N - 1, S#s{n = K + N, d = [N]}, [S | All]).

sent() ->
    Me = self(),
    Pid = spawn(fun() -> Me ! {all, collect(10, [])} end),
    S = sending(10, Pid, #s{}),
    receive {all, All} -> {S, All} end.

sending(0, _, S) -> S;
sending(N, Pid, #s{n = K} = S) ->
    Pid ! S,
    sending(N - 1, Pid, S#s{n = K + N, a = {N}}).

collect(0, All) -> lists:reverse(All);
collect(N, All) -> receive #s{} = S -> collect(N - 1, [S#s{e = N} | All]) end.

in_a_table() ->
    T = ets:new(t, [ordered_set, {keypos, #s.a}]),
    S = storing(10, T, #s{}),
    All = ets:tab2list(T),
    ets:delete(T),
    {S, All}.

storing(0, _, S) -> S;
storing(N, T, #s{n = K} = S) ->
    true = ets:insert(T, S),
    storing(N - 1, T, S#s{a = N, n = K + 1, d = [N]}).

%% What was overwritten before an exception is not seen behind it.
raised() ->
    [try raising(N, #s{}) catch error:R -> {error, R} end || N <- [3, 2, 1]].

raising(N, S) ->
    S1 = S#s{a = N, d = [N]},
    try
        S2 = S1#s{b = 12 div (N - 2), e = {b}},
        S2#s{c = hd(lists:nthtail(N - 1, [1, 2]))}
    catch
        error:badarith -> S1#s{c = badarith};
        error:function_clause -> S1#s{c = function_clause}
    end.

nested() ->
    P = nest(40, #p{left = #s{}, right = #s{a = 7}}),
    {P#p.left, P#p.right, P#p.sum}.

nest(0, P) -> P;
nest(N, #p{left = #s{n = K} = L, right = R, sum = S} = P) ->
    nest(N - 1, P#p{left = R#s{n = K + 1}, right = L#s{b = N, d = [{N}]}, sum = S + K}).

literal() -> {literal(3, #s{a = 1}), literal(2, #s{a = 1})}.

literal(0, S) -> S;
literal(N, S) -> literal(N - 1, S#s{e = N}).

%% More records than fit a collection, from a function that gives them back.
given_back() ->
    L = [(made(N))#s{n = N, d = [N]} || N <- lists:seq(1, 300)],
    {length(L), lists:sum([S#s.n || S <- L]), hd(L), lists:last(L)}.

made(N) -> #s{a = N, b = [N]}.

returned_by_others() ->
    S = through(50, #s{}),
    {S#s.a, S#s.b, S#s.d}.

through(0, S) -> S;
through(N, S) -> through(N - 1, second(first(S, N), N)).

first(#s{a = A} = S, N) -> S#s{a = A + N, d = [first | N]}.

second(#s{b = B} = S, N) -> S#s{b = B - N, d = {second, N}}.
