// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {OwnedModule} from "./base/PausableModule.sol";
import {DisputeModule} from "./DisputeModule.sol";

/// A few arbitrators who settle disputes by majority.
contract ArbitratorCommittee is OwnedModule {
    DisputeModule public immutable disputeModule;
    uint256 public memberCount;
    mapping(address => bool) public isMember;
    mapping(uint256 => mapping(address => bool)) public voted;
    mapping(uint256 => mapping(bool => uint256)) public votes;

    event MemberUpdated(address indexed member, bool active);
    event Voted(uint256 indexed jobId, address indexed member, bool agentWins);

    error NotMember(address caller);
    error AlreadyVoted(address caller);

    constructor(address owner_, DisputeModule disputeModule_, address[] memory members) OwnedModule(owner_) {
        disputeModule = disputeModule_;
        for (uint256 i = 0; i < members.length; i++) _setMember(members[i], true);
    }

    function vote(uint256 jobId, bool agentWins) external whenNotPaused {
        if (!isMember[msg.sender]) revert NotMember(msg.sender);
        if (voted[jobId][msg.sender]) revert AlreadyVoted(msg.sender);
        voted[jobId][msg.sender] = true;
        uint256 count = ++votes[jobId][agentWins];
        emit Voted(jobId, msg.sender, agentWins);
        if (count == memberCount / 2 + 1) disputeModule.resolveDispute(jobId, agentWins);
    }

    function setMember(address member, bool active) external onlyOwner {
        _setMember(member, active);
    }

    function _setMember(address member, bool active) private {
        if (isMember[member] == active) return;
        isMember[member] = active;
        memberCount = active ? memberCount + 1 : memberCount - 1;
        emit MemberUpdated(member, active);
    }
}
