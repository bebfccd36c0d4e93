%% maps: inserting, looking up, updating and removing in a hashed map.
%% repeat: 1
-module(b_map_large).
-export([run/0]).
run() ->
    M = ins(100000, #{}),
    S = get(100000, M, 0),
    U = upd(100000, M),
    R = rem_(50000, U),
    {S, map_size(R), maps:get(77777, U)}.
ins(0, M) -> M;
ins(N, M) -> ins(N - 1, M#{N => N * 2}).
get(0, _, A) -> A;
get(N, M, A) -> get(N - 1, M, A + maps:get(N, M)).
upd(0, M) -> M;
upd(N, M) -> #{N := V} = M, upd(N - 1, M#{N := V + 1}).
rem_(0, M) -> M;
rem_(N, M) -> rem_(N - 1, maps:remove(N, M)).
